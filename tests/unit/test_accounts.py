"""Accounts: an owner remains whatever happens, names are people's, passwords are nobody else's."""

import asyncio
from itertools import pairwise

import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.accounts import changes
from hero_admin.accounts.passwords import Passwords, check_password
from hero_admin.accounts.users import User, fetch_user, fold_name, parse_name
from hero_admin.audit_log.changes import Operation
from hero_admin.database.engines import Database
from hero_admin.person import COMMAND_LINE, Role
from hero_admin.web.errors import Invalid
from tests.factories import committed
from tests.signing_in import a_user
from tests.stored import Stored

BY = Operation(COMMAND_LINE, "command")
# 16 bytes.
LONG = "vkqozjxwy_hbmgpd"


@pytest.fixture(autouse=True)
def hasher_of_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hero_admin.accounts.passwords.PasswordHasher", PasswordHasher)


def an_owner(name: str) -> User:
    return a_user(name, password_hash="x")


async def refused(database: Database, user: User, role: Role | None) -> bool:
    """Whether somebody cannot lose the role of an owner, or with None the way in."""
    assert user.id is not None
    async with database.session(is_read_only=False) as session:
        try:
            if role is None:
                await changes.disable(session, BY, user.id)
            else:
                await changes.change_role(session, BY, user.id, role)
        except Invalid:
            return True
        await session.commit()
        return False


@pytest.mark.parametrize("role", [None, Role.EDITOR, Role.VIEWER])
async def test_the_last_owner_stays_one(
    database: Database, session: AsyncSession, stored: Stored, role: Role | None
) -> None:
    ann, _, _ = [
        await committed(session, an_owner("Ann")),
        await committed(session, a_user("Dora", password_hash="x", is_disabled=True)),
        await committed(session, a_user("Ed", Role.EDITOR)),
    ]
    assert await refused(database, ann, role)
    # Who was only invited may never come.
    await committed(session, a_user("Iris"))
    assert await refused(database, ann, role)
    bob = await committed(session, an_owner("Bob"))
    assert not await refused(database, ann, role)
    assert await refused(database, bob, role)


@pytest.mark.parametrize("role", [None, Role.EDITOR])
async def test_owners_who_remove_each_other_at_once_leave_one(
    database: Database, session: AsyncSession, stored: Stored, role: Role | None
) -> None:
    owners = [await committed(session, an_owner(f"Owner {number}")) for number in range(4)]
    await asyncio.gather(*(refused(database, owner, role) for owner in owners))
    users = await stored.all(User)
    assert len([each for each in users if each.role == Role.OWNER and not each.is_disabled]) == 1


async def test_two_accounts_never_have_one_name(session: AsyncSession, stored: Stored) -> None:
    await changes.add_user(session, BY, "Zoë  Nova", Role.VIEWER, None)
    await session.commit()
    for name in ("zoë nova", "ZOË NOVA", " Zoë Nova "):
        with pytest.raises(Invalid, match="already"):
            await changes.add_user(session, BY, name, Role.VIEWER, None)
    await session.rollback()
    (user,) = await stored.all(User)
    assert user.name == "Zoë Nova"
    found = await fetch_user(session, "ZOË nova")
    assert found is not None
    assert found.id == user.id


@pytest.mark.parametrize("name", ["\0", "x" * 100_000, "\u202e", "", " "])
async def test_looking_for_what_is_no_name_finds_nobody(session: AsyncSession, name: str) -> None:
    await committed(session, a_user("Ann"))
    assert await fetch_user(session, name) is None
    with pytest.raises(Invalid):
        parse_name(name)


def test_names_are_compared_as_people_do() -> None:
    for one, other in pairwise(["Straße", "STRASSE", "\uff33trasse"]):
        assert fold_name(one) == fold_name(other)
    assert fold_name("Zoe") != fold_name("Zoë")


@pytest.mark.parametrize(
    "name",
    [
        "Cоmmand line",
        "Αnn",
        "Ann Сmith",
        "\u2800",
        "A\u3164nn",
        "Ann\u200b",
        "Ann\u202e",
        "Ann\ufe0f",
        "…",
        "ꓮꓠꓠ",
        "A\u0300\u0301\u0302nn",
        "Command line",
        "COMMAND LINE",
        "Command-Line",
        "ⅽommand line",
        "Comrnand line",
        "СОММАND LINE",
        "Anyone",
        "system",
        "Sуѕтем",
        "ꜱystem",
        "\u1d00nn",
    ],
)
def test_no_name_is_blank_mixed_or_that_of_the_program(name: str) -> None:
    with pytest.raises(Invalid):
        parse_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Nova",
        "O’Brien",
        "Nguyễn Văn Hùng",
        "山田たろう John",
        "김철수",
        "Анна",
        "علی",
        "Ann 🦊",
        "7",
    ],
)
def test_people_of_everywhere_have_names(name: str) -> None:
    assert parse_name(name) == name


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("AIice", "Alice"),
        ("A1ice", "Alice"),
        ("0live", "Olive"),
        ("ΑΝΝ", "ANN"),
        ("сор", "cop"),
        ("Amold", "Arnold"),
        ("Ｂob", "Bob"),
        ("anna", "Anna"),
    ],
)
async def test_no_two_accounts_are_read_as_one(
    session: AsyncSession, name: str, other: str
) -> None:
    for first, second in ((name, other), (other, name)):
        await changes.add_user(session, BY, first, Role.VIEWER, None)
        with pytest.raises(Invalid, match="already"):
            await changes.add_user(session, BY, second, Role.OWNER, None)
        await session.rollback()


async def test_names_that_only_resemble_each_other_are_two(session: AsyncSession) -> None:
    for name in ("Ian", "Lan", "Zoe", "Zoë", "Ann", "Anne", "Anna", "Анна"):
        await changes.add_user(session, BY, name, Role.VIEWER, None)


@pytest.mark.parametrize(
    ("password", "is_allowed"),
    [
        (LONG[:11], False),
        (LONG[:12], True),
        ("ü" + LONG * 63 + LONG[:14], True),
        ("ü" + LONG * 63 + LONG[:15], False),
        ("", False),
    ],
)
def test_a_password_is_neither_short_nor_endless(password: str, is_allowed: bool) -> None:
    if is_allowed:
        check_password(password, ())
    else:
        with pytest.raises(Invalid, match=r"^Use at (least|most) "):
            check_password(password, ())


async def test_a_password_fits_however_its_letters_are_put_together() -> None:
    passwords = Passwords()
    hashed = await passwords.hash("Ångström \ud800")
    assert hashed.startswith("$argon2id$")
    assert await passwords.verify(hashed, "A\u030angström \ud800")
    assert not await passwords.verify(hashed, "angström \ud800")
    assert not await passwords.verify("no hash at all", "angström")
    assert await passwords.rehash(hashed, "x") is None
    assert await passwords.rehash(PasswordHasher(time_cost=1).hash("x"), "x")
    passwords.close()


async def test_nobodys_password_takes_the_same_work_and_never_fits() -> None:
    passwords = Passwords()
    # The hash that is verified then has the parameters of all others.
    nobodys = passwords._nobodys  # noqa: SLF001 - it is nobody's business but this test's
    assert not PasswordHasher().check_needs_rehash(nobodys)
    assert not await passwords.verify(None, "")
    passwords.close()
