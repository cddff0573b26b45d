"""The client of the test kit: what tests of an application write."""

from datetime import date

import pytest
from sqlmodel import col, select

from hero_admin import Action, Admin, Download, Person, Resource, Role, Run
from hero_admin.testing import AdminClient, Refused
from webapp.heroes import Hero
from webapp.teams import Team


@pytest.fixture
async def nova(admin: AdminClient) -> Hero:
    """A hero of a team, stored past the Admin."""
    team = Team(name="Z-Force", headquarters="Sister Margaret’s Bar")
    await admin.add(team)
    hero = Hero(name="Nova", secret_name="Anna", age=28, team_id=team.id)
    await admin.add(hero)
    return hero


async def test_lists_show_what_is_stored(admin: AdminClient, nova: Hero) -> None:
    await admin.sign_in(role="editor")
    page = await admin.list("heroes", q="nov", age_min=18)
    page.sees("Nova", "Z-Force").lacks("Anna")
    assert page.rows[0]["Age"] == "28"
    assert (await admin.list(Hero, team=[nova.team_id, "none"])).column("Name") == ["Nova"]
    (await admin.show("heroes", nova)).sees("Nova")
    (await admin.show(Hero, nova.id, "edit")).sees("Nova", "28")


async def test_records_are_created_changed_deleted_and_brought_back(
    admin: AdminClient, nova: Hero
) -> None:
    await admin.sign_in(role=Role.EDITOR)
    page = await admin.create(
        "heroes", name="Vega", secret_name="Bob", age=30, team_id=nova.team_id
    )
    assert page.flash == "Created Vega"
    vega = admin.key()
    (await admin.edit("heroes", vega, age=None, team_id=None)).sees("Saved Vega")
    (await admin.undo()).sees("Restored Vega")
    assert (await admin.api.read("heroes", vega))["age"] == 30
    (await admin.delete("heroes", [vega, nova])).sees("Deleted 2 heroes")
    assert (await admin.list("heroes")).rows == []
    await admin.undo()
    other = Team(name="Preventers")
    await admin.add(other)
    await admin.delete("teams", str(nova.team_id), heroes=other)
    async with admin.session() as session:
        teams = await session.scalars(select(Hero.team_id).order_by(col(Hero.id)))
        assert [*teams] == [other.id, other.id]


async def test_programs_use_the_api(admin: AdminClient) -> None:
    await admin.sign_in()
    made = await admin.api.create(Hero, name="Nova", secret_name="Anna")
    assert (await admin.api.change(Hero, made, age=7))["age"] == 7
    assert [each["name"] for each in await admin.api.list("heroes", q="nova")] == ["Nova"]
    with pytest.raises(Refused) as refused:
        await admin.api.change("heroes", made["id"], age=-1)
    assert refused.value.status_code == 422
    assert list(refused.value.errors) == ["age"]
    await admin.api.delete("heroes", made["id"])
    with pytest.raises(Refused, match=r"GET /api/heroes/1 was refused: 404. Hero not found"):
        await admin.api.read("heroes", 1)


async def test_a_refusal_tells_what_was_shown_instead(admin: AdminClient, nova: Hero) -> None:
    with pytest.raises(Refused, match="leads to /sign-in"):
        await admin.list("heroes")
    await admin.sign_in(role="viewer")
    with pytest.raises(Refused, match="Only editors can"):
        await admin.edit("heroes", nova, age=3)
    await admin.sign_in(role="editor")
    with pytest.raises(Refused) as refused:
        await admin.create("heroes", name="", secret_name="Anna", age="old")
    assert refused.value.errors.keys() == {"Name", "Age"}
    assert refused.value.page.field("Secret name").value == "Anna"
    with pytest.raises(AssertionError, match=r"does not show 'Vega'. It shows: .*Nova"):
        (await admin.list("heroes")).sees("Vega")
    with pytest.raises(AssertionError, match=r"shows 'Nova': ….*Nova"):
        (await admin.list("heroes")).lacks("Nova")
    with pytest.raises(AssertionError, match="no resource 'hero'; did you mean 'heroes'"):
        await admin.list("hero")
    with pytest.raises(AssertionError, match="no field 'agee'; did you mean 'age'"):
        await admin.edit("heroes", nova, agee=3)
    with pytest.raises(AssertionError, match="is no team"):
        await admin.show("teams", nova)


async def test_two_people_are_at_it(admin: AdminClient, nova: Hero) -> None:
    await admin.sign_in(Person("Zoë", Role.EDITOR))
    other = admin.another()
    await other.sign_in(role="owner")
    await admin.edit("heroes", nova, age=29)
    (await other.show("heroes", nova, "history")).sees("Zoë")
    admin.sign_out()
    with pytest.raises(Refused):
        await admin.list("heroes")
    await other.list("heroes")


class Hired(Person):
    """Somebody whom an application knows better."""


class TestTheSignInOfAnApplication:
    @pytest.fixture
    def admin_app(self, admin_app: Admin) -> Admin:
        return Admin(admin_app.resources, authenticate=self.nobody, sign_in_url="/login")

    async def nobody(self, _: object) -> Person | None:
        raise AssertionError("it is passed by")

    async def test_is_passed_by(self, admin: AdminClient, nova: Hero) -> None:
        await admin.sign_in(Hired("Zoë", Role.EDITOR))
        await admin.edit("heroes", nova, age=29)
        (await admin.show("heroes", nova, "history")).sees("Zoë")
        admin.sign_out()
        page = await admin.browser.get("/heroes")
        assert page.headers["location"] == "/login?next=%2Fheroes"


async def test_actions_are_done_by_their_forms(admin: AdminClient, nova: Hero) -> None:
    await admin.sign_in(role="editor")
    vega = Hero(name="Vega", secret_name="Bob", age=30)
    await admin.add(vega)
    page = await admin.run("heroes", "Transfer", [nova, vega], team_id=None)
    page.sees("2 heroes transferred")
    await admin.run(Hero, "Transfer", vega, team_id=1)
    assert (await admin.list("heroes", team=1)).column("Name") == ["Vega"]
    (await admin.undo()).sees("Restored Vega")
    matching = {"age_max": 29}
    await admin.run("heroes", "retire", matching=matching, retired_on=date(2026, 11, 30))
    assert (await admin.api.read("heroes", nova))["retired_on"] == "2026-11-30"
    assert (await admin.api.read("heroes", vega))["retired_on"] is None
    with pytest.raises(Refused) as refused:
        await admin.run("heroes", "Retire", nova, retired_on="soon")
    assert list(refused.value.errors) == ["Retirement date"]
    with pytest.raises(AssertionError, match="no action 'Retired'; did you mean 'Retire'"):
        await admin.run("heroes", "Retired", nova)
    with pytest.raises(AssertionError, match=r"no action 'Close the year'."):
        await admin.run_global("Close the year")


async def test_programs_do_actions(admin: AdminClient, nova: Hero) -> None:
    await admin.sign_in(role="editor")
    vega = Hero(name="Vega", secret_name="Bob", age=30)
    await admin.add(vega)
    done = await admin.api.run("heroes", "Transfer", [nova, vega], team_id=None)
    assert (done["message"], done["count"], done["job"]) == ("2 heroes transferred", 2, None)
    assert done["operation"] is not None
    await admin.api.run(Hero, "retire", matching={"age_max": 29}, retired_on="2026-11-30")
    assert (await admin.api.read("heroes", nova))["retired_on"] == "2026-11-30"
    assert (await admin.api.read("heroes", vega))["retired_on"] is None
    with pytest.raises(Refused) as refused:
        await admin.api.run("heroes", "Retire", nova, retired_on="soon")
    assert list(refused.value.errors) == ["form.retired_on"]
    with pytest.raises(AssertionError, match="no action 'Retired'; did you mean 'Retire'"):
        await admin.api.run("heroes", "Retired", nova)


async def badge(_: Run[Hero]) -> Download:
    return Download("badges.txt", b"Nova", "text/plain")


async def count(run: Run[Hero]) -> str:
    return f"{run.count} counted"


class TestActionsWithoutForms:
    @pytest.fixture
    def admin_app(self) -> Admin:
        actions = (Action("Count", count), Action("Print badges", badge))
        return Admin([Resource(Hero, actions=actions), Resource(Team)])

    async def test_are_done_by_programs_unless_they_answer_with_a_file(
        self, admin: AdminClient, nova: Hero
    ) -> None:
        await admin.sign_in(role="editor")
        assert (await admin.api.run("heroes", "Count", nova))["message"] == "1 counted"
        with pytest.raises(AssertionError, match="'Print badges' answers with a file"):
            await admin.api.run("heroes", "Print badges", nova)
