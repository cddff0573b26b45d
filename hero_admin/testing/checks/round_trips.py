"""Round trips through an Admin, after which every table has to be byte for byte as before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from hero_admin.testing.admin_client import SAVE, AdminClient, form_of_main
from hero_admin.testing.checks.raw_rows import Rows, raw_rows, stored_tables
from hero_admin.testing.checks.sampling import Sample, changes_of, others_moved, samples_of
from hero_admin.testing.records import Named


@dataclass
class RoundTrips:
    """How often it was tried: forms saved, fields changed, records deleted and sent to the API."""

    saved: int = 0
    changed: int = 0
    deleted: int = 0
    sent: int = 0


async def check_round_trips(admin: AdminClient, *, without: Collection[Named] = ()) -> RoundTrips:
    """Check that nothing changes but what is changed, and that Undo brings all of it back.

    Of each resource the first and the last record of the list are saved unchanged, by the form and
    by the API; each field is changed and undone; and they are deleted, with what refers to them,
    and undone. Each time all tables hold the same bytes as before.

    Whoever is signed in must be allowed to edit. Fails for a resource without records, unless it is
    one of `without`.
    """
    trips = _Trips(admin, await stored_tables(admin))
    await trips.look()
    for sample in await samples_of(admin, without):
        await trips.save_unchanged(sample)
        await trips.send_back(sample)
        if admin.site.has_history:
            await trips.change_and_undo(sample)
            await trips.delete_and_undo(sample)
    assert trips.count.saved, f"No record has a form to save: {trips.count}"
    return trips.count


class _Trips:
    def __init__(self, admin: AdminClient, tables: Sequence[Table]) -> None:
        self.admin = admin
        self.tables = tables
        self.count = RoundTrips()
        self.before: Rows = {}

    async def look(self) -> None:
        self.before = await self._rows()
        assert any(self.before.values()), "The database is empty, so nothing can be tried."

    async def save_unchanged(self, sample: Sample) -> None:
        for address in sample.addresses:
            page = await self.admin.browser.get(f"{address}/edit")
            # A record may have nothing but its key.
            if SAVE in page.by_id("main").visible_text:
                answer = await self.admin.browser.submit(page.form(press=SAVE))
                assert answer.status_code == 303, f"{address}: {answer.errors or answer.excerpt()}"
                self.count.saved += 1
        await self._compare(f"{sample.name}: saved unchanged")

    async def send_back(self, sample: Sample) -> None:
        for api in sample.api_addresses:
            given = await self.admin.browser.get(api)
            assert given.status_code == 200, f"GET {api}: {given.text[:500]}"
            answer = await self.admin.browser.patch(api, json=given.json())
            assert answer.status_code == 200, f"PATCH {api}: {answer.text[:500]}"
            assert answer.json() == given.json(), f"PATCH {api} with what GET gave"
            self.count.sent += 1
        await self._compare(f"{sample.name}: sent back to the API")

    async def change_and_undo(self, sample: Sample) -> None:
        address = sample.addresses[-1]
        page = await self.admin.browser.get(f"{address}/edit")
        if SAVE not in page.by_id("main").visible_text:
            return
        for change in changes_of(page.form(press=SAVE)):
            fresh = await self.admin.browser.get(f"{address}/edit")
            answer = await self.admin.browser.submit(fresh.form(press=SAVE), change)
            if answer.status_code == 422:
                assert answer.errors or answer.alert, f"{address} {change}: no error"
                continue
            assert answer.status_code == 303, f"{address} {change}: {answer.excerpt()}"
            saved = await self.admin.browser.follow(answer)
            assert saved.flash.startswith("Saved"), f"{address} {change}: {saved.flash}"
            undone = await self.admin.browser.follow(await self.admin.browser.submit(saved.undo))
            assert undone.flash.startswith("Restored"), f"{address} {change}: {undone.flash}"
            await self._compare(f"{address}: changed {change}, and undone")
            self.count.changed += 1

    async def delete_and_undo(self, sample: Sample) -> None:
        for address in sample.addresses:
            form = form_of_main(await self.admin.browser.get(f"{address}/delete"), "Delete ")
            answer = await self.admin.browser.submit(form, others_moved(form))
            if answer.status_code == 409:
                assert answer.alert, f"{address}: not deleted, and not said why"
                continue
            assert answer.status_code == 303, f"{address}: {answer.excerpt()}"
            assert await self._rows() != self.before, f"{address}: still there"
            page = await self.admin.browser.follow(answer)
            undone = await self.admin.browser.follow(await self.admin.browser.submit(page.undo))
            assert undone.flash.startswith("Restored"), f"{address}: {undone.flash}"
            await self._compare(f"{address}: deleted, and undone")
            self.count.deleted += 1

    async def _rows(self) -> Rows:
        return await raw_rows(self.admin.database.reading, self.tables)

    async def _compare(self, what: str) -> None:
        now = await self._rows()
        for name, rows in now.items():
            if rows != self.before[name]:
                gone = [row for row in self.before[name] if row not in rows]
                new = [row for row in rows if row not in self.before[name]]
                raise AssertionError(f"{what}: {name} had {gone[:3]}, and has {new[:3]}")
