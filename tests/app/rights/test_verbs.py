"""What a person may not do is not offered, and refused with 403."""

from tests.page import Client


async def test_what_one_may_not_do_is_not_offered(editor: Client, owner: Client) -> None:
    page = await editor.get("/branches/1")
    assert "Edit" not in page.link_names
    assert "Edit" in (await owner.get("/branches/1")).link_names
    assert "New branch" not in (await editor.get("/branches")).text
    for refused in (
        await editor.get("/branches/new"),
        await editor.get("/branches/1/edit"),
        await editor.post("/branches/1", data={"name": "X"}),
        await editor.post("/branches/1/delete", data={}),
        await editor.post("/api/branches/", json={"name": "X"}),
        await editor.patch("/api/branches/1", json={"name": "X"}),
        await editor.delete("/api/branches/1"),
    ):
        assert refused.status_code == 403
        assert "Only owners" in refused.text


async def test_a_function_of_the_person_is_a_grant(viewer: Client, editor: Client) -> None:
    assert (await viewer.get("/agents.csv")).status_code == 403
    refused = await viewer.get("/agents/1/delete")
    assert refused.status_code == 403
    assert "have permission to delete agents" in refused.text
    assert (await editor.get("/agents/1/delete")).status_code == 200
