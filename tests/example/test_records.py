"""What is saved unchanged, or changed and undone, is byte for byte as it was before."""

from tests.example.raw_rows import raw_rows
from tests.example.records import changes_of, deleting, lists_of, others_moved, sample_of
from tests.example.shops import Shop
from tests.page import Client

SAVE = "Save changes"


async def test_saving_a_form_unchanged_changes_nothing(admin: Client, shop: Shop) -> None:
    before = await raw_rows(shop.engine, shop.metadata)
    saved = 0
    for listed in await lists_of(admin, shop.start):
        for address in sample_of(listed):
            page = await admin.get(f"{address}/edit")
            # A record may have nothing but its key.
            if SAVE in page.by_id("main").visible_text:
                answer = await admin.submit(page.form(press=SAVE))
                assert answer.status_code == 303, f"{address}: {answer.errors}"
                saved += 1
    assert saved >= 15
    assert await raw_rows(shop.engine, shop.metadata) == before


async def test_each_changed_field_comes_back_with_undo(admin: Client, shop: Shop) -> None:
    before = await raw_rows(shop.engine, shop.metadata)
    changed = 0
    for listed in await lists_of(admin, shop.start):
        address = sample_of(listed)[-1]
        page = await admin.get(f"{address}/edit")
        if SAVE not in page.by_id("main").visible_text:
            continue
        for change in changes_of(page.form(press=SAVE)):
            fresh = await admin.get(f"{address}/edit")
            answer = await admin.submit(fresh.form(press=SAVE), change)
            if answer.status_code == 422:
                assert answer.errors, f"{address} {change}: no error"
                continue
            saved = await admin.follow(answer)
            assert saved.flash.startswith("Saved"), f"{address} {change}: {saved.flash}"
            undone = await admin.follow(await admin.submit(saved.undo))
            assert undone.flash.startswith("Restored"), f"{address} {change}: {undone.flash}"
            assert await raw_rows(shop.engine, shop.metadata) == before, f"{address} {change}"
            changed += 1
    assert changed >= 30


async def test_what_is_deleted_comes_back_with_undo(admin: Client, shop: Shop) -> None:
    before = await raw_rows(shop.engine, shop.metadata)
    deleted = []
    for listed in await lists_of(admin, shop.start):
        for address in sample_of(listed):
            form = deleting(await admin.get(f"{address}/delete"))
            answer = await admin.submit(form, others_moved(form))
            if answer.status_code == 409:
                assert answer.alert == "Other records need it, so it wasn't deleted."
                continue
            assert await raw_rows(shop.engine, shop.metadata) != before, address
            page = await admin.follow(answer)
            undone = await admin.follow(await admin.submit(page.undo))
            assert undone.flash.startswith("Restored"), f"{address}: {undone.flash}"
            assert await raw_rows(shop.engine, shop.metadata) == before, address
            deleted.append(address)
    assert len(deleted) >= 15


async def test_the_api_takes_what_it_gave(admin: Client, shop: Shop) -> None:
    before = await raw_rows(shop.engine, shop.metadata)
    for listed in await lists_of(admin, shop.start):
        for address in sample_of(listed):
            api = address.replace(shop.start, f"{shop.start}api/")
            given = await admin.get(api)
            assert given.status_code == 200
            answer = await admin.patch(api, json=given.json())
            assert (answer.status_code, answer.json()) == (200, given.json()), address
    assert await raw_rows(shop.engine, shop.metadata) == before
