"""Models with many-to-many relations: a bare association, and one with a key and columns."""

from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, Relationship, SQLModel, UniqueConstraint
from starlette.applications import Starlette

from hero_admin.application import create_app
from hero_admin.model.resource import Resource
from hero_admin.settings import load_settings


class Music(SQLModel):
    metadata = MetaData()


class PlaylistTrack(Music, table=True):
    """A key of the two, as in SQLModel's own documentation, and no ON DELETE."""

    __tablename__ = "playlist_track"

    playlist_id: int | None = Field(default=None, foreign_key="playlist.id", primary_key=True)
    track_id: int | None = Field(default=None, foreign_key="track.id", primary_key=True)


class Playlist(Music, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, min_length=1)
    tracks: list["Track"] = Relationship(
        back_populates="playlists",
        link_model=PlaylistTrack,
        sa_relationship_kwargs={"lazy": "raise"},
    )


class Credit(Music, table=True):
    """A key of its own, and a column that says more of the link."""

    __table_args__ = (UniqueConstraint("track_id", "artist_code"),)

    id: int | None = Field(default=None, primary_key=True)
    track_id: int = Field(foreign_key="track.id", ondelete="CASCADE")
    artist_code: str = Field(max_length=20, foreign_key="artist.code", ondelete="CASCADE")
    role: str = Field(default="singer", max_length=40)


class Track(Music, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80, min_length=1)
    seconds: int | None = None
    playlists: list[Playlist] = Relationship(
        back_populates="tracks",
        link_model=PlaylistTrack,
        sa_relationship_kwargs={"lazy": "raise"},
    )
    artists: list["Artist"] = Relationship(
        link_model=Credit, sa_relationship_kwargs={"lazy": "raise", "viewonly": True}
    )


class Artist(Music, table=True):
    """A text key, and no relationship back."""

    code: str = Field(primary_key=True, max_length=20)
    name: str = Field(max_length=80)


async def a_playlist(session: AsyncSession, name: str = "Road trip", tracks: int = 0) -> Playlist:
    """A playlist with so many tracks, called “Road trip 0001”, …; all stored."""
    playlist = Playlist(name=name)
    songs = [Track(name=f"{name} {number:04}", seconds=number) for number in range(1, tracks + 1)]
    session.add_all([playlist, *songs])
    await session.flush()
    session.add_all(PlaylistTrack(playlist_id=playlist.id, track_id=song.id) for song in songs)
    await session.commit()
    return playlist


async def a_track(session: AsyncSession, name: str, *playlists: Playlist) -> Track:
    track = Track(name=name)
    session.add(track)
    await session.flush()
    session.add_all(PlaylistTrack(playlist_id=each.id, track_id=track.id) for each in playlists)
    await session.commit()
    return track


async def an_artist(session: AsyncSession, code: str, track: Track | None = None) -> Artist:
    artist = Artist(code=code, name=code.capitalize())
    session.add(artist)
    await session.flush()
    if track is not None:
        session.add(Credit(track_id=track.id or 0, artist_code=code))
    await session.commit()
    return artist


def app() -> Starlette:
    """An admin of them, for uvicorn."""
    return create_app(load_settings(), [Resource(Playlist), Resource(Track), Resource(Artist)])
