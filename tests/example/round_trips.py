"""Round trips through an admin, after which every table has to be byte for byte as before."""

from tests.example.raw_rows import raw_rows
from tests.example.records import changes_of, deleting, lists_of, others_moved, sample_of
from tests.example.shops import Shop
from tests.page import Client

SAVE = "Save changes"


async def save_unchanged(client: Client, house: Shop) -> int:
    """Save the form of some records of each list as it is; how many were saved."""
    before = await raw_rows(house.engine, house.metadata)
    saved = 0
    for listed in await lists_of(client, house.start):
        for address in sample_of(listed):
            page = await client.get(f"{address}/edit")
            # A record may have nothing but its key.
            if SAVE in page.by_id("main").visible_text:
                answer = await client.submit(page.form(press=SAVE))
                assert answer.status_code == 303, f"{address}: {answer.errors}"
                saved += 1
    assert await raw_rows(house.engine, house.metadata) == before
    return saved


async def change_and_undo(client: Client, house: Shop) -> int:
    """Change each field of a record of each list, and undo it; how many were changed."""
    before = await raw_rows(house.engine, house.metadata)
    changed = 0
    for listed in await lists_of(client, house.start):
        address = sample_of(listed)[-1]
        page = await client.get(f"{address}/edit")
        if SAVE not in page.by_id("main").visible_text:
            continue
        for change in changes_of(page.form(press=SAVE)):
            fresh = await client.get(f"{address}/edit")
            answer = await client.submit(fresh.form(press=SAVE), change)
            if answer.status_code == 422:
                assert answer.errors, f"{address} {change}: no error"
                continue
            saved = await client.follow(answer)
            assert saved.flash.startswith("Saved"), f"{address} {change}: {saved.flash}"
            undone = await client.follow(await client.submit(saved.undo))
            assert undone.flash.startswith("Restored"), f"{address} {change}: {undone.flash}"
            assert await raw_rows(house.engine, house.metadata) == before, f"{address} {change}"
            changed += 1
    return changed


async def delete_and_undo(client: Client, house: Shop) -> int:
    """Delete some records of each list, and undo it; how many were deleted."""
    before = await raw_rows(house.engine, house.metadata)
    deleted = 0
    for listed in await lists_of(client, house.start):
        for address in sample_of(listed):
            form = deleting(await client.get(f"{address}/delete"))
            answer = await client.submit(form, others_moved(form))
            if answer.status_code == 409:
                assert answer.alert == "Other records need it, so it wasn't deleted."
                continue
            assert await raw_rows(house.engine, house.metadata) != before, address
            page = await client.follow(answer)
            undone = await client.follow(await client.submit(page.undo))
            assert undone.flash.startswith("Restored"), f"{address}: {undone.flash}"
            assert await raw_rows(house.engine, house.metadata) == before, address
            deleted += 1
    return deleted


async def send_back(client: Client, house: Shop) -> None:
    """Send the API what it gave of some records of each list."""
    before = await raw_rows(house.engine, house.metadata)
    for listed in await lists_of(client, house.start):
        for address in sample_of(listed):
            api = address.replace(house.start, f"{house.start}api/")
            given = await client.get(api)
            assert given.status_code == 200
            answer = await client.patch(api, json=given.json())
            assert (answer.status_code, answer.json()) == (200, given.json()), address
    assert await raw_rows(house.engine, house.metadata) == before
