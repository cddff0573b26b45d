"""What customers see: the albums, and one of them."""

from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates
from sqlmodel import col, select

from record_shop.database import sessions
from record_shop.models import Album, Artist, Genre, Track

templates = Jinja2Templates(Path(__file__).with_name("templates"))
router = APIRouter()


def render(request: Request, name: str, status: int = 200, **context: object) -> HTMLResponse:
    return templates.TemplateResponse(request, name, context, status)


@router.get("/")
async def albums(request: Request, q: str = "") -> Response:
    """GET /: the newest albums, or those with a word in their title."""
    newest = select(Album, Artist).join(Artist).order_by(col(Album.released_on).desc()).limit(24)
    found = newest.where(col(Album.title).icontains(q, autoescape=True)) if q else newest
    async with sessions() as session:
        rows = (await session.execute(found)).all()
    return render(request, "albums.html", albums=rows, q=q)


@router.get("/albums/{album_id}")
async def album(request: Request, album_id: int) -> Response:
    """GET /albums/7: one album and its tracks, or 404."""
    async with sessions() as session:
        found = await session.get(Album, album_id)
        if found is None:
            raise HTTPException(404)
        artist = await session.get_one(Artist, found.artist_id)
        genre = await session.get(Genre, found.genre_id) if found.genre_id else None
        tracks = await session.scalars(
            select(Track).where(Track.album_id == album_id).order_by(col(Track.number))
        )
        return render(
            request, "album.html", album=found, artist=artist, genre=genre, tracks=tracks.all()
        )


@router.get("/albums/{album_id}/cover")
async def cover(album_id: int) -> Response:
    """GET /albums/7/cover: its picture, or 404."""
    async with sessions() as session:
        picture = await session.scalar(select(Album.cover).where(Album.id == album_id))
    if picture is None:
        raise HTTPException(404)
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
    return Response(picture, media_type="image/png", headers=headers)
