"""What is saved unchanged, or changed and undone, is byte for byte as it was before."""

from hero_admin.testing import AdminClient, check_no_script, check_round_trips


async def test_nothing_changes_but_what_is_changed_and_undo_brings_it_back(
    staff: AdminClient,
) -> None:
    tried = await check_round_trips(staff)
    assert tried.saved >= 15
    assert tried.changed >= 30
    assert tried.deleted >= 15
    assert tried.sent >= 15


async def test_everything_that_pages_offer_is_there(staff: AdminClient) -> None:
    walk = await check_no_script(staff)
    assert len(walk.addresses) > 240
    assert len(walk.forms) > 50
    # To the shop, by a link in the menu.
    outside = {path for path, _ in walk.addresses if not path.startswith(staff.start)}
    assert outside == {"/"}
