"""Passkeys: whose they are, where they work, and what is no proof."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.applications import Starlette

from hero_admin.accounts.second_factor import ceremonies, challenges
from hero_admin.accounts.second_factor.passkeys import Passkey
from hero_admin.accounts.sessions import UserSession
from hero_admin.accounts.users import User
from hero_admin.audit_log.changes import Change
from hero_admin.person import Role
from hero_admin.testing import Client, Page
from tests.cases import on_one_database
from tests.device import PRESENT, Device
from tests.factories import committed
from tests.second_factor import PASSWORD, QUICK, enter_password
from tests.serving import client_of
from tests.signing_in import a_user
from tests.stored import Stored

AT = "/account/second-factor/passkeys"
WRONG = "This passkey doesn't work here. Sign in with your password."


@pytest.fixture
async def ann(app: Starlette, client: Client, session: AsyncSession) -> AsyncIterator[Client]:
    """A client of an editor who signed in with a password."""
    await committed(session, a_user("Ann", Role.EDITOR, QUICK.hash(PASSWORD)))
    async with client_of(app) as other:
        assert (await enter_password(other)).status_code == 303
        yield other


@pytest.fixture
async def other(app: Starlette, ann: Client) -> AsyncIterator[Client]:
    """Another browser."""
    async with client_of(app) as client:
        yield client


async def add(client: Client, device: Device, name: str = "Laptop") -> Page:
    options = (await client.get(f"{AT}/options")).json()
    form = (await client.get(f"{AT}/new")).form()
    return await client.submit(form, name=name, passkey=device.register(options))


async def sign_in(client: Client, device: Device, to: str = "/") -> Page:
    options = (await client.get("/sign-in/passkey")).json()
    given = {"account.passkey": device.answer(options), "account.next": to}
    return await client.post("/sign-in", data=given)


async def test_a_passkey_signs_in_alone_as_whom_it_is_of(
    ann: Client, other: Client, stored: Stored
) -> None:
    device = Device()
    shown = await add(ann, device)
    assert shown.heading == "Recovery codes"
    options = (await other.get("/sign-in/passkey")).json()
    # Nobody learns who has one.
    assert (options["rpId"], options["allowCredentials"]) == ("localhost", [])
    assert options["userVerification"] == "required"
    entered = await sign_in(other, device, "/teams")
    assert (entered.status_code, entered.headers["location"]) == (303, "/teams")
    assert "Ann Editor" in (await other.get("/")).visible_text
    (kept,) = await stored.all(Passkey)
    assert (kept.name, kept.host, kept.sign_count) == ("Laptop", "localhost", 1)
    assert kept.last_used_at is not None


async def test_an_answer_counts_once_for_one_browser_purpose_and_some_minutes(
    app: Starlette, ann: Client, other: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = Device()
    await add(ann, device)
    # A device that does not count leaves it to the challenge.
    device.count = -1
    options = (await other.get("/sign-in/passkey")).json()
    answer = device.answer(options)
    cookie = other.cookies["challenge"]
    async with client_of(app) as third:
        refused = await third.post("/sign-in", data={"account.passkey": answer})
        assert (refused.status_code, refused.alert) == (422, WRONG)
        assert (await other.post("/sign-in", data={"account.passkey": answer})).status_code == 303
        third.cookies.set("challenge", cookie, domain="localhost.local")
        refused = await third.post("/sign-in", data={"account.passkey": answer})
        assert (refused.status_code, refused.alert) == (422, WRONG)
        # One for the second step is none for signing in alone.
        asked = await enter_password(third)
        assert asked.heading == "Confirm it's you"
        device.count, device.flags = -1, PRESENT
        options = (await third.get("/sign-in/code/passkey")).json()
        assert options["userVerification"] == "preferred"
        refused = await third.post("/sign-in", data={"account.passkey": device.answer(options)})
        assert refused.status_code == 422
        monkeypatch.setattr(challenges, "SECONDS", -1)
        assert (await sign_in(third, device)).status_code == 422


async def test_after_the_password_a_passkey_is_enough_without_being_unlocked(
    ann: Client, other: Client
) -> None:
    device = Device()
    await add(ann, device)
    device.flags = PRESENT
    assert (await sign_in(other, device)).alert == WRONG
    assert (await other.get("/sign-in/code/passkey")).status_code == 401
    asked = await enter_password(other)
    options = (await other.get("/sign-in/code/passkey")).json()
    assert len(options["allowCredentials"]) == 1
    stranger = Device()
    stranger.credential_id = device.credential_id
    refused = await other.submit(asked.form(), {"account.passkey": stranger.answer(options)})
    assert (refused.status_code, refused.alert) == (422, "This passkey doesn't work here.")
    entered = await other.submit(asked.form(), {"account.passkey": device.answer(options)})
    assert entered.status_code == 303
    assert (await other.get("/heroes")).status_code == 200


async def test_the_passkey_of_somebody_else_is_no_second_factor_and_no_proof(
    app: Starlette, ann: Client, client: Client, other: Client, session: AsyncSession
) -> None:
    own, foreign = Device(), Device()
    await add(ann, own)
    await add(client, foreign)
    asked = await enter_password(other)
    options = (await other.get("/sign-in/code/passkey")).json()
    refused = await other.submit(asked.form(), {"account.passkey": foreign.answer(options)})
    assert refused.status_code == 422
    await session.execute(update(UserSession).values(proved_at=None))
    await session.commit()
    asked = await ann.post("/account/tokens", data={"name": "t", "role": "viewer", "days": "30"})
    assert asked.heading == "Confirm it's you"
    for device, status in ((foreign, 422), (own, 307)):
        options = (await ann.get("/account/confirm/passkey")).json()
        answer = await ann.submit(asked.form(), {"account.passkey": device.answer(options)})
        assert answer.status_code == status


@pytest.mark.parametrize("wrong", ["origin", "port", "host", "handle", "count", "absent", "key"])
async def test_what_a_device_says_has_to_be_right(
    ann: Client, other: Client, wrong: str, stored: Stored
) -> None:
    device = Device()
    device.count = 5
    await add(ann, device)
    options = (await other.get("/sign-in/passkey")).json()
    if wrong == "origin":
        device.origin = "https://localhost.evil.example"
    elif wrong == "port":
        device.origin = "http://localhost:8001"
    elif wrong == "host":
        options["rpId"] = "evil.example"
    elif wrong == "handle":
        device.handle = b"somebody else"
    elif wrong == "count":
        device.count = 3
    elif wrong == "absent":
        device.flags = 0
    else:
        device.key = Device().key
    refused = await other.post("/sign-in", data={"account.passkey": device.answer(options)})
    assert (refused.status_code, refused.alert) == (422, WRONG)
    (kept,) = await stored.all(Passkey)
    assert (kept.sign_count, kept.last_used_at) == (5, None)


async def test_a_disabled_account_has_no_passkey_to_sign_in_with(
    ann: Client, other: Client, client: Client
) -> None:
    device = Device()
    await add(ann, device)
    await client.post("/people/2/disable")
    assert (await sign_in(other, device)).status_code == 422


async def test_two_answers_at_once_are_counted_one_after_the_other(
    app: Starlette, ann: Client, other: Client, stored: Stored
) -> None:
    device = Device()
    await add(ann, device)
    async with client_of(app) as third:
        answers = await asyncio.gather(*(sign_in(each, device) for each in (other, third)))
    # The one that comes second has the lower count, if they pass each other.
    assert sorted(each.status_code for each in answers) in ([303, 303], [303, 422])
    (kept,) = await stored.all(Passkey)
    assert kept.sign_count in (1, 2)


async def test_a_passkey_is_registered_once_named_renamed_and_removed(
    ann: Client, client: Client, stored: Stored
) -> None:
    device = Device()
    await add(ann, device)
    taken = await add(client, device)
    assert (taken.status_code, taken.alert) == (422, "This passkey is already registered.")
    # The same answer again.
    options = (await ann.get(f"{AT}/options")).json()
    assert [each["id"] for each in options["excludeCredentials"]] != []
    form = (await ann.get(f"{AT}/new")).form()
    for passkey in ("", "{}", device.answer({**options, "rpId": "localhost"}), "x" * 20_000):
        refused = await ann.submit(form, name="Phone", passkey=passkey)
        assert (refused.status_code, refused.alert) == (
            422,
            "The passkey couldn't be created. Try again.",
        )
        assert refused.field("Name").value == "Phone"
    unnamed = await ann.submit(form, name=" ", passkey=Device().register(options))
    assert unnamed.error("Name") == "Enter a name, such as where it's kept."
    second = await ann.follow(await add(ann, Device(), "Phone"))
    assert second.flash == "Added passkey Phone"
    page = await ann.get((await ann.get("/account")).link("Rename Phone…"))
    assert (await ann.submit(page.form(), name="\u200b")).status_code == 422
    assert (await ann.submit(page.form(), name="  Old   phone ")).status_code == 303
    for name in ("Old phone", "Laptop"):
        page = await ann.get((await ann.get("/account")).link(f"Remove {name}…"))
        assert (await ann.submit(page.form())).status_code == 303
    assert await stored.count(Passkey) == 0
    assert (await enter_password(ann)).status_code == 303
    told = [each.values for each in await stored.all(Change) if each.title == "Ann"]
    assert told == [
        {"second factor": (None, "passkey Laptop")},
        {"second factor": (None, "passkey Phone")},
        {"passkey": ("Phone", "Old phone")},
        {"second factor": ("passkey Old phone", "removed")},
        {"second factor": ("passkey Laptop", "removed")},
    ]
    for path in (f"{AT}/1/name", f"{AT}/1/remove", f"{AT}/x/name"):
        assert (await ann.get(path)).status_code == 404
        assert (await ann.post(path, data={"name": "x"})).status_code == 404


async def test_a_passkey_of_somebody_else_is_not_found(ann: Client, client: Client) -> None:
    await add(ann, Device())
    for verb in ("name", "remove"):
        assert (await client.get(f"{AT}/1/{verb}")).status_code == 404
        assert (await client.post(f"{AT}/1/{verb}", data={"name": "x"})).status_code == 404


async def test_a_passkey_is_for_one_host_name_whatever_the_scheme_and_port(
    app: Starlette, ann: Client, other: Client, stored: Stored
) -> None:
    device = Device("https://localhost:8443")
    ann.http.base_url = httpx.URL("https://localhost:8443/")
    await enter_password(ann)
    assert (await add(ann, device)).heading == "Recovery codes"
    device.origin = "http://localhost"
    assert (await sign_in(other, device)).status_code == 303
    other.http.base_url = httpx.URL("http://127.0.0.1/")
    assert "Sign in with a passkey" not in (await other.get("/sign-in")).text
    device.origin = "http://127.0.0.1"
    assert (await sign_in(other, device)).status_code == 422
    asked = await enter_password(other)
    assert "Your passkeys are for localhost." in asked.visible_text


@on_one_database
async def test_the_button_is_there_once_somebody_has_a_passkey(
    ann: Client, anonymous: Client
) -> None:
    words = "Sign in with a passkey"
    assert words not in (await anonymous.get("/sign-in")).text
    await add(ann, Device())
    page = await anonymous.get("/sign-in")
    assert words in page.text
    assert "To sign in with a passkey, turn on JavaScript and reload this page." in page.text


async def test_an_owner_resets_passkeys_too(
    ann: Client, client: Client, other: Client, stored: Stored
) -> None:
    device = Device()
    await add(ann, device)
    await add(ann, Device(), "Phone")
    assert (await client.get("/people")).column("Second factor") == ["2 passkeys", "None"]
    await client.post("/people/2/second-factor/reset")
    assert await stored.count(Passkey) == 0
    assert (await sign_in(other, device)).status_code == 422
    (user,) = [each for each in await stored.all(User) if each.name == "Ann"]
    assert not user.has_second_factor


@given(st.text(max_size=60) | st.binary(max_size=200).map(lambda data: data.decode("latin-1")))
def test_no_answer_of_a_client_breaks_anything(answer: str) -> None:
    place = ceremonies.Place("localhost", "http://localhost", b"x" * 32)
    assert ceremonies.verified_registration(answer, place) is None
    assert ceremonies.verified_count(answer, place, b"", 0, is_verified=False) is None
    assert ceremonies.credential_of(answer) == ("", "")
