"""What is saved unchanged, or changed and undone, is byte for byte as it was before."""

from tests.example.round_trips import change_and_undo, delete_and_undo, save_unchanged, send_back
from tests.example.shops import Shop
from tests.page import Client


async def test_saving_a_form_unchanged_changes_nothing(admin: Client, shop: Shop) -> None:
    assert await save_unchanged(admin, shop) >= 15


async def test_each_changed_field_comes_back_with_undo(admin: Client, shop: Shop) -> None:
    assert await change_and_undo(admin, shop) >= 30


async def test_what_is_deleted_comes_back_with_undo(admin: Client, shop: Shop) -> None:
    assert await delete_and_undo(admin, shop) >= 15


async def test_the_api_takes_what_it_gave(admin: Client, shop: Shop) -> None:
    await send_back(admin, shop)
