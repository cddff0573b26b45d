"""People: owners let others in, say what they may do, and shut them out; an owner remains."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.one_time_links import OneTimeLink
from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change
from hero_admin.person import Role
from hero_admin.testing import Client, htmx_headers
from tests.factories import committed
from tests.serving import client_of
from tests.signing_in import NAMES, a_user
from tests.stored import Stored

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
LAST = "There has to be an owner: make someone else an owner first."


async def invited(client: Client, name: str = "Bob", role: str = "editor") -> str:
    """Invite person and return the path of the link."""
    page = await client.get("/people/new")
    shown = await client.submit(page.form(), name=name, role=role)
    assert (shown.status_code, shown.heading) == (200, f"Invitation for {name}")
    return str(httpx.URL(str(shown.field("Link").value)).raw_path.decode())


async def id_of(stored: Stored, role: Role) -> int:
    (user,) = [each for each in await stored.all(User) if each.name == NAMES[role]]
    assert user.id is not None
    return user.id


# Inviting


async def test_an_invited_person_chooses_a_password_and_is_signed_in(
    client: Client, anonymous: Client, stored: Stored
) -> None:
    path = await invited(client)
    (row,) = [each for each in (await client.get("/people")).rows if each["Name"] == "Bob"]
    assert (row["Role"], row["State"], row["Last seen"]) == ("Editor", "invited", "never")
    page = await anonymous.get(path)
    entered = await anonymous.submit(page.form(), {"account.password": PASSWORD})
    assert entered.status_code == 303
    assert (await anonymous.get("/heroes/new")).status_code == 200
    (row,) = [each for each in (await client.get("/people")).rows if each["Name"] == "Bob"]
    assert row["State"] == "active"
    assert row["Last seen"].startswith(f"{datetime.now(UTC):%Y-}")


async def test_the_link_is_shown_once_whole_and_kept_by_nobody(
    client: Client, stored: Stored
) -> None:
    page = await client.get("/people/new")
    shown = await client.submit(page.form(), name="Bob", role="viewer")
    url = str(shown.field("Link").value)
    assert url.startswith("http://localhost/welcome?token=")
    assert "once and expires after 7 days" in shown.visible_text
    assert shown.headers["cache-control"] == "no-store"
    (row,) = await stored.all(OneTimeLink)
    token = url.partition("token=")[2]
    assert token != row.digest
    for later in ("/people", "/people/2", "/history"):
        assert token not in (await client.get(later)).text


async def test_a_host_that_is_not_ours_gets_into_no_link(client: Client) -> None:
    data = {"name": "Bob", "role": "viewer"}
    refused = await client.post("/people", data=data, headers={"Host": "evil.example"})
    assert refused.status_code == 400
    assert len((await client.get("/people")).rows) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "Enter a name."),
        ("x" * 81, "Use at most 80 characters."),
        ("olive  OWNER", "The name “olive OWNER” is already taken."),
    ],
)
async def test_a_name_that_cannot_be_is_said_beside_it_and_nothing_is_lost(
    client: Client, stored: Stored, name: str, sentence: str
) -> None:
    page = await client.get("/people/new")
    again = await client.submit(page.form(), name=name, role="editor")
    assert (again.status_code, again.error("Name")) == (422, sentence)
    assert (again.field("Name").value, again.field("Role").value) == (name, "editor")
    assert await stored.count(User) == 1


async def test_a_role_that_there_is_not_is_refused(client: Client, stored: Stored) -> None:
    for data in ({"name": "Bob"}, {"name": "Bob", "role": "root"}):
        again = await client.post("/people", data=data)
        assert again.status_code == 422
        assert "Choose a role." in again.visible_text
    assert await stored.count(User) == 1


# Roles


async def test_another_role_holds_at_once(client: Client, viewer: Client, stored: Stored) -> None:
    at = f"/people/{await id_of(stored, Role.VIEWER)}"
    assert (await viewer.get("/heroes/new")).status_code == 403
    saved = await client.submit((await client.get(at)).form(press="Save role"), role="editor")
    assert (saved.status_code, saved.headers["location"]) == (303, at)
    page = await client.follow(saved)
    assert page.flash == "Saved Vera Viewer Now editor."
    assert page.field("Role of Vera Viewer").value == "editor"
    assert (await viewer.get("/heroes/new")).status_code == 200


async def test_an_owner_who_gives_that_up_is_led_away_from_the_page(
    client: Client, session: AsyncSession
) -> None:
    await committed(session, a_user("Ann", password_hash="x"))
    form = (await client.get("/people/1")).form(press="Save role")
    saved = await client.submit(form, role="viewer")
    assert (saved.status_code, saved.headers["location"]) == (303, "/")
    assert (await client.get("/people")).status_code == 403


async def test_the_last_owner_stays_one_and_the_page_says_so(
    client: Client, stored: Stored
) -> None:
    page = await client.get("/people/1")
    assert LAST in page.visible_text
    assert "Disable…" not in page.link_names
    refused = await client.post("/people/1/role", data={"role": "viewer"})
    assert refused.status_code == 409
    assert LAST in refused.visible_text
    refused = await client.post("/people/1/disable")
    assert (refused.status_code, refused.alert) == (409, LAST)
    (user,) = await stored.all(User)
    assert (user.role, user.is_disabled) == ("owner", False)


async def test_an_owner_who_was_only_invited_is_none_yet(client: Client, stored: Stored) -> None:
    await invited(client, "Ann", "owner")
    assert LAST in (await client.get("/people/1")).visible_text
    assert (await client.post("/people/1/disable")).status_code == 409


async def test_two_owners_who_demote_each_other_at_once_leave_one(
    app: Starlette, client: Client, session: AsyncSession, stored: Stored
) -> None:
    user = await committed(session, a_user("Ann", Role.VIEWER, password_hash="x"))
    await session.execute(update(User).values(password_hash="x"))
    await session.commit()
    await client.post(f"/people/{user.id}/role", data={"role": "owner"})
    async with client_of(app) as other:
        other.cookies.update(client.cookies)
        answers = await asyncio.gather(
            client.post("/people/1/role", data={"role": "viewer"}),
            other.post(f"/people/{user.id}/role", data={"role": "viewer"}),
        )
    # The second one is the last owner by then or, asked for a little later, none at all.
    assert sorted(answer.status_code for answer in answers) in ([303, 409], [303, 403])
    assert [each.role for each in await stored.all(User)].count("owner") == 1


# Shutting out


async def test_disabling_asks_first_and_ends_everything_at_once(
    client: Client, editor: Client, stored: Stored
) -> None:
    at = f"/people/{await id_of(stored, Role.EDITOR)}"
    page = await client.get((await client.get(at)).link("Disable…"))
    assert page.heading == "Disable Edward Editor?"
    assert (await editor.get("/heroes")).status_code == 200
    done = await client.submit(page.form())
    assert (await client.follow(done)).flash == "Disabled Edward Editor"
    assert (await editor.get("/heroes")).status_code == 303
    page = await client.get(at)
    assert page.facts["State"] == "disabled"
    done = await client.submit(page.form(press="Enable"))
    assert (await client.follow(done)).flash == "Enabled Edward Editor"
    # Who was signed in has to do so again.
    assert (await editor.get("/heroes")).status_code == 303


async def test_the_question_comes_alone_for_a_dialog(client: Client, viewer: Client) -> None:
    page = await client.get("/people/2/disable", headers=htmx_headers("div#confirm"))
    assert page.by_id("confirm").tag
    assert "<main" not in page.text


async def test_a_disabled_account_gets_no_link_until_it_is_enabled(
    client: Client, viewer: Client, stored: Stored
) -> None:
    await client.post("/people/2/disable")
    refused = await client.post("/people/2/link")
    assert refused.status_code == 409
    assert refused.alert == "This account is disabled. Enable it first."
    assert await stored.count(OneTimeLink) == 0


async def test_a_reset_is_a_link_after_which_all_else_is_signed_out(
    client: Client,
    session: AsyncSession,
    viewer: Client,
    anonymous: Client,
) -> None:
    await session.execute(update(User).values(password_hash=QUICK.hash("the old horse battery")))
    await session.commit()
    form = (await client.get("/people/2")).form(press="New password link")
    shown = await client.submit(form)
    assert shown.heading == "New password for Vera Viewer"
    assert "once and expires after 1 day" in shown.visible_text
    assert (await viewer.get("/heroes")).status_code == 200
    page = await anonymous.get(str(shown.field("Link").value))
    for weak, sentence in {
        "the old horse battery": "This is the current password. Choose another one.",
        "viewer.vera.99": "Don't use your name or the name of this site.",
    }.items():
        again = await anonymous.submit(page.form(), {"account.password": weak})
        assert (again.status_code, again.error("Password")) == (422, sentence)
    assert (await viewer.get("/heroes")).status_code == 200
    await anonymous.submit(page.form(), {"account.password": PASSWORD})
    assert (await viewer.get("/heroes")).status_code == 303
    assert (await anonymous.get("/heroes")).status_code == 200


async def test_a_new_invitation_replaces_the_one_before(client: Client, anonymous: Client) -> None:
    before = await invited(client)
    shown = await client.submit((await client.get("/people/2")).form(press="New invitation link"))
    assert shown.heading == "Invitation for Bob"
    assert (await anonymous.get(before)).status_code == 410
    assert (await anonymous.get(str(shown.field("Link").value))).status_code == 200


async def test_an_owner_ends_somebodys_sessions(
    client: Client, viewer: Client, stored: Stored
) -> None:
    page = await client.get("/people/2")
    ended = await client.submit(page.form(press="Sign out tests, 127.0.0.1"))
    assert (await client.follow(ended)).flash == "Signed out 1 session"
    assert (await viewer.get("/heroes")).status_code == 303
    ended = await client.post("/people/2/sessions/end")
    assert (await client.follow(ended)).flash == "This session has already ended."
    assert (await client.get("/people/1")).status_code == 200


async def test_a_session_of_somebody_else_is_not_ended_under_anothers_name(
    client: Client, viewer: Client, editor: Client, stored: Stored
) -> None:
    (own,) = [each for each in await stored.all(UserSession) if each.user_id == 2]
    await client.post("/people/3/sessions/end", data={"session": own.digest})
    assert (await viewer.get("/heroes")).status_code == 200


# What is left of it


async def test_everything_done_to_people_is_in_the_history_in_words(
    client: Client, viewer: Client, session: AsyncSession, stored: Stored
) -> None:
    await session.execute(update(User).values(password_hash="x"))
    await session.commit()
    await client.post("/people/2/role", data={"role": "editor"})
    await client.post("/people/2/sessions/end")
    await client.post("/people/2/link")
    await client.post("/people/2/disable")
    await client.post("/people/2/enable")
    page = (await client.get("/history?resource=people")).visible_text
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
    found = await client.get((await client.get("/people/1")).link("Activity"))
    assert found.field("Person").value == "Olive Owner"


async def test_what_is_done_to_people_is_shown_to_owners_only(
    client: Client, editor: Client, viewer: Client
) -> None:
    await invited(client)
    assert "Bob" in (await client.get("/history")).visible_text
    for other in (editor, viewer):
        for address in ("/history", "/history?resource=people"):
            assert "Bob" not in (await other.get(address)).by_id("timeline").visible_text


async def test_what_is_masked_of_people_stays_so(client: Client, anonymous: Client) -> None:
    page = await anonymous.get(await invited(client))
    await anonymous.submit(page.form(), {"account.password": PASSWORD})
    shown = await client.get("/history?by=Bob")
    assert "Password" in shown.visible_text
    assert "••••••••" in shown.visible_text
    assert PASSWORD not in shown.text
    assert "argon2" not in shown.text


@pytest.mark.parametrize("id_", ["0", "99", "2147483648", "9" * 40, "x", "-1", "1.0", "²", "٣"])
async def test_an_account_that_there_is_not_is_not_found(client: Client, id_: str) -> None:
    for path in ("", "/disable", "/tokens/1/revoke"):
        assert (await client.get(f"/people/{id_}{path}")).status_code == 404
    for path in ("role", "disable", "enable", "link", "sessions/end", "tokens/1/revoke"):
        answer = await client.post(f"/people/{id_}/{path}", data={"role": "viewer"})
        assert answer.status_code == 404, path


async def test_only_owners_are_led_to_people(client: Client, editor: Client) -> None:
    assert "People" in (await client.get("/")).link_names
    page = await editor.get("/")
    assert "People" not in page.link_names
    assert (await editor.get("/people")).status_code == 403


async def test_when_somebody_was_last_seen_outlives_the_session(
    client: Client, viewer: Client, session: AsyncSession
) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=40)
    await session.execute(update(User).values(seen_at=long_ago))
    await session.commit()
    await viewer.post("/sign-out")
    assert (await client.get("/people/2")).facts["Last seen"].startswith(f"{long_ago:%Y-%m-%d}")
