"""People: owners let others in, say what they may do, and shut them out; an owner remains."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.one_time_links import OneTimeLink
from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change
from hero_admin.person import Role
from tests.factories import committed
from tests.html import (
    alert_of,
    by_id,
    error_beside,
    facts_of,
    field_of,
    flash_of,
    follow,
    form_of,
    heading_of,
    htmx_headers,
    link,
    links_of,
    parsed,
    rows_of,
    submit,
    text_of,
)
from tests.serving import client_of
from tests.signing_in import NAMES, a_user
from tests.stored import Stored

PASSWORD = "correct horse battery"
LAST = "There has to be an owner: make someone else an owner first."


async def invited(client: httpx.AsyncClient, name: str = "Bob", role: str = "editor") -> str:
    """Invite person and return the path of the link."""
    page = await client.get("/people/new")
    shown = await submit(client, form_of(page), name=name, role=role)
    assert (shown.status_code, heading_of(shown)) == (200, f"Invitation for {name}")
    return str(httpx.URL(str(field_of(shown, "Link").value)).raw_path.decode())


async def id_of(stored: Stored, role: Role) -> int:
    (user,) = [each for each in await stored.all(User) if each.name == NAMES[role]]
    assert user.id is not None
    return user.id


# Inviting


async def test_whoever_is_invited_chooses_a_password_and_is_in(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, stored: Stored
) -> None:
    path = await invited(client)
    (row,) = [each for each in rows_of(await client.get("/people")) if each["Name"] == "Bob"]
    assert (row["Role"], row["State"], row["Last seen"]) == ("Editor", "invited", "never")
    page = await anonymous.get(path)
    entered = await submit(anonymous, form_of(page), {"account.password": PASSWORD})
    assert entered.status_code == 303
    assert (await anonymous.get("/heroes/new")).status_code == 200
    (row,) = [each for each in rows_of(await client.get("/people")) if each["Name"] == "Bob"]
    assert row["State"] == "active"
    assert row["Last seen"].startswith(f"{datetime.now(UTC):%Y-}")


async def test_the_link_is_shown_once_whole_and_kept_by_nobody(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    page = await client.get("/people/new")
    shown = await submit(client, form_of(page), name="Bob", role="viewer")
    url = str(field_of(shown, "Link").value)
    assert url.startswith("http://localhost/welcome?token=")
    assert "once and expires after 7 days" in text_of(parsed(shown))
    assert shown.headers["cache-control"] == "no-store"
    (row,) = await stored.all(OneTimeLink)
    token = url.partition("token=")[2]
    assert token != row.digest
    for later in ("/people", "/people/2", "/history"):
        assert token not in (await client.get(later)).text


async def test_a_host_that_is_not_ours_gets_into_no_link(client: httpx.AsyncClient) -> None:
    data = {"name": "Bob", "role": "viewer"}
    refused = await client.post("/people", data=data, headers={"Host": "evil.example"})
    assert refused.status_code == 400
    assert len(rows_of(await client.get("/people"))) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter a name."),
        ("x" * 81, "Use at most 80 characters."),
        ("olive  OWNER", "The name “olive OWNER” is already taken."),
    ],
)
async def test_a_name_that_cannot_be_is_said_beside_it_and_nothing_is_lost(
    client: httpx.AsyncClient, stored: Stored, name: str, sentence: str
) -> None:
    page = await client.get("/people/new")
    again = await submit(client, form_of(page), name=name, role="editor")
    assert (again.status_code, error_beside(again, "Name")) == (422, sentence)
    assert (field_of(again, "Name").value, field_of(again, "Role").value) == (name, "editor")
    assert await stored.count(User) == 1


async def test_a_role_that_there_is_not_is_refused(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    for data in ({"name": "Bob"}, {"name": "Bob", "role": "root"}):
        again = await client.post("/people", data=data)
        assert again.status_code == 422
        assert "Choose a role." in text_of(parsed(again))
    assert await stored.count(User) == 1


# Roles


async def test_another_role_holds_at_once(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, stored: Stored
) -> None:
    at = f"/people/{await id_of(stored, Role.VIEWER)}"
    assert (await viewer.get("/heroes/new")).status_code == 403
    saved = await submit(client, form_of(await client.get(at), press="Save role"), role="editor")
    assert (saved.status_code, saved.headers["location"]) == (303, at)
    page = await follow(client, saved)
    assert flash_of(page) == "Saved Vera Viewer Now editor."
    assert field_of(page, "Role of Vera Viewer").value == "editor"
    assert (await viewer.get("/heroes/new")).status_code == 200


async def test_an_owner_who_gives_that_up_is_led_away_from_the_page(
    client: httpx.AsyncClient, session: AsyncSession
) -> None:
    await committed(session, a_user("Ann", password_hash="x"))
    form = form_of(await client.get("/people/1"), press="Save role")
    saved = await submit(client, form, role="viewer")
    assert (saved.status_code, saved.headers["location"]) == (303, "/")
    assert (await client.get("/people")).status_code == 403


async def test_the_last_owner_stays_one_and_the_page_says_so(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    page = await client.get("/people/1")
    assert LAST in text_of(parsed(page))
    assert "Disable…" not in [each.text for each in links_of(page)]
    refused = await client.post("/people/1/role", data={"role": "viewer"})
    assert refused.status_code == 409
    assert LAST in text_of(parsed(refused))
    refused = await client.post("/people/1/disable")
    assert (refused.status_code, alert_of(refused)) == (409, LAST)
    (user,) = await stored.all(User)
    assert (user.role, user.is_disabled) == ("owner", False)


async def test_an_owner_who_was_only_invited_is_none_yet(
    client: httpx.AsyncClient, stored: Stored
) -> None:
    await invited(client, "Ann", "owner")
    assert LAST in text_of(parsed(await client.get("/people/1")))
    assert (await client.post("/people/1/disable")).status_code == 409


async def test_two_owners_who_demote_each_other_at_once_leave_one(
    app: Starlette, client: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    user = await committed(session, a_user("Ann", Role.VIEWER, password_hash="x"))
    await session.execute(update(User).values(password_hash="x"))
    await session.commit()
    await client.post(f"/people/{user.id}/role", data={"role": "owner"})
    async with client_of(app) as other:
        other.cookies = client.cookies
        answers = await asyncio.gather(
            client.post("/people/1/role", data={"role": "viewer"}),
            other.post(f"/people/{user.id}/role", data={"role": "viewer"}),
        )
    # The second one is the last owner by then or, asked for a little later, none at all.
    assert sorted(answer.status_code for answer in answers) in ([303, 409], [303, 403])
    assert [each.role for each in await stored.all(User)].count("owner") == 1


# Shutting out


async def test_disabling_asks_first_and_ends_everything_at_once(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, stored: Stored
) -> None:
    at = f"/people/{await id_of(stored, Role.EDITOR)}"
    page = await client.get(link(await client.get(at), "Disable…"))
    assert heading_of(page) == "Disable Edward Editor?"
    assert (await editor.get("/heroes")).status_code == 200
    done = await submit(client, form_of(page))
    assert flash_of(await follow(client, done)) == "Disabled Edward Editor"
    assert (await editor.get("/heroes")).status_code == 303
    page = await client.get(at)
    assert facts_of(page)["State"] == "disabled"
    done = await submit(client, form_of(page, press="Enable"))
    assert flash_of(await follow(client, done)) == "Enabled Edward Editor"
    # Who was signed in has to do so again.
    assert (await editor.get("/heroes")).status_code == 303


async def test_the_question_comes_alone_for_a_dialog(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient
) -> None:
    page = await client.get("/people/2/disable", headers=htmx_headers("div#confirm"))
    assert by_id(page, "confirm")
    assert "<main" not in page.text


async def test_a_disabled_account_gets_no_link_until_it_is_enabled(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, stored: Stored
) -> None:
    await client.post("/people/2/disable")
    refused = await client.post("/people/2/link")
    assert refused.status_code == 409
    assert alert_of(refused) == "This account is disabled. Enable it first."
    assert await stored.count(OneTimeLink) == 0


async def test_a_reset_is_a_link_after_which_all_else_is_signed_out(
    client: httpx.AsyncClient,
    session: AsyncSession,
    viewer: httpx.AsyncClient,
    anonymous: httpx.AsyncClient,
) -> None:
    await session.execute(update(User).values(password_hash="x"))
    await session.commit()
    form = form_of(await client.get("/people/2"), press="New password link")
    shown = await submit(client, form)
    assert heading_of(shown) == "New password for Vera Viewer"
    assert "once and expires after 1 day" in text_of(parsed(shown))
    assert (await viewer.get("/heroes")).status_code == 200
    page = await anonymous.get(str(field_of(shown, "Link").value))
    await submit(anonymous, form_of(page), {"account.password": PASSWORD})
    assert (await viewer.get("/heroes")).status_code == 303
    assert (await anonymous.get("/heroes")).status_code == 200


async def test_a_new_invitation_replaces_the_one_before(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    before = await invited(client)
    shown = await submit(
        client, form_of(await client.get("/people/2"), press="New invitation link")
    )
    assert heading_of(shown) == "Invitation for Bob"
    assert (await anonymous.get(before)).status_code == 410
    assert (await anonymous.get(str(field_of(shown, "Link").value))).status_code == 200


async def test_an_owner_ends_somebodys_sessions(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, stored: Stored
) -> None:
    page = await client.get("/people/2")
    ended = await submit(client, form_of(page, press="Sign out tests, 127.0.0.1"))
    assert flash_of(await follow(client, ended)) == "Signed out 1 session"
    assert (await viewer.get("/heroes")).status_code == 303
    ended = await client.post("/people/2/sessions/end")
    assert flash_of(await follow(client, ended)) == "This session has already ended."
    assert (await client.get("/people/1")).status_code == 200


async def test_a_session_of_somebody_else_is_not_ended_under_anothers_name(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, editor: httpx.AsyncClient, stored: Stored
) -> None:
    (own,) = [each for each in await stored.all(UserSession) if each.user_id == 2]
    await client.post("/people/3/sessions/end", data={"session": own.digest})
    assert (await viewer.get("/heroes")).status_code == 200


# What is left of it


async def test_everything_done_to_people_is_in_the_history_in_words(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, session: AsyncSession, stored: Stored
) -> None:
    await session.execute(update(User).values(password_hash="x"))
    await session.commit()
    await client.post("/people/2/role", data={"role": "editor"})
    await client.post("/people/2/sessions/end")
    await client.post("/people/2/link")
    await client.post("/people/2/disable")
    await client.post("/people/2/enable")
    page = text_of(parsed(await client.get("/history?resource=people")))
    for line in (
        "Role viewer → became editor",
        "Sessions 1 open → became ended",
        "Link nothing → became reset",
        "State active → became disabled",
        "State disabled → became active",
    ):
        assert line.replace("→ ", "") in page.replace("→ ", "")
    by = {change.by_name for change in await stored.all(Change)}
    assert by == {"Olive Owner"}
    found = await client.get(link(await client.get("/people/1"), "Activity"))
    assert field_of(found, "Person").value == "Olive Owner"


async def test_what_is_done_to_people_is_shown_to_owners_only(
    client: httpx.AsyncClient, editor: httpx.AsyncClient, viewer: httpx.AsyncClient
) -> None:
    await invited(client)
    assert "Bob" in text_of(parsed(await client.get("/history")))
    for other in (editor, viewer):
        for address in ("/history", "/history?resource=people"):
            assert "Bob" not in text_of(by_id(await other.get(address), "timeline"))


async def test_what_is_masked_of_people_stays_so(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient
) -> None:
    page = await anonymous.get(await invited(client))
    await submit(anonymous, form_of(page), {"account.password": PASSWORD})
    shown = await client.get("/history?by=Bob")
    assert "Password" in text_of(parsed(shown))
    assert "••••••••" in text_of(parsed(shown))
    assert PASSWORD not in shown.text
    assert "argon2" not in shown.text


@pytest.mark.parametrize("id_", ["0", "99", "2147483648", "9" * 40, "x", "-1", "1.0", "²", "٣"])
async def test_an_account_that_there_is_not_is_not_found(
    client: httpx.AsyncClient, id_: str
) -> None:
    for path in ("", "/disable", "/tokens/1/revoke"):
        assert (await client.get(f"/people/{id_}{path}")).status_code == 404
    for path in ("role", "disable", "enable", "link", "sessions/end", "tokens/1/revoke"):
        answer = await client.post(f"/people/{id_}/{path}", data={"role": "viewer"})
        assert answer.status_code == 404, path


async def test_only_owners_are_led_to_people(
    client: httpx.AsyncClient, editor: httpx.AsyncClient
) -> None:
    assert "People" in [each.text for each in links_of(await client.get("/"))]
    page = await editor.get("/")
    assert "People" not in [each.text for each in links_of(page)]
    assert (await editor.get("/people")).status_code == 403


async def test_when_somebody_was_last_seen_outlives_the_session(
    client: httpx.AsyncClient, viewer: httpx.AsyncClient, session: AsyncSession
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=40)
    await session.execute(update(User).values(seen_at=long_ago))
    await session.commit()
    await viewer.post("/sign-out")
    assert facts_of(await client.get("/people/2"))["Last seen"].startswith(f"{long_ago:%Y-%m-%d}")
