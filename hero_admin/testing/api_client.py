"""`ApiClient`: the API of an Admin, as programs use it."""

from collections.abc import Mapping, Sequence
from typing import Any

from hero_admin.model.site import Site
from hero_admin.testing.client import Client
from hero_admin.testing.page import Page
from hero_admin.testing.records import Named, Record, key_in_url, many_of, named, named_action
from hero_admin.testing.refused import Refused, api_errors


class ApiClient:
    """The API below `start`, for whoever `browser` is; a refusal raises Refused.

    Values are those of JSON, by the names of the API.
    """

    def __init__(self, browser: Client, site: Site, start: str) -> None:
        self.browser = browser
        self.site = site
        self.start = start

    # Any: JSON, from here on.

    async def list(self, resource: Named, **state: Any) -> list[dict[str, Any]]:
        """Return the records of a list: `q="nova"`, `team=3`, `sort="-age"`, `limit=10`."""
        url = f"{self._url(resource)}/"
        page = await self._answered(await self.browser.get(url, params=state), "GET", url)
        found: list[dict[str, Any]] = page.json()
        return found

    async def read(self, resource: Named, record: Record, path: str = "") -> dict[str, Any]:
        """Return a record, or what is below it: `with-team`."""
        url = self._url(resource, record) + (f"/{path}" if path else "")
        return await self._one(await self.browser.get(url), "GET", url)

    async def create(self, resource: Named, **values: Any) -> dict[str, Any]:
        """Create a record; return it."""
        url = f"{self._url(resource)}/"
        return await self._one(await self.browser.post(url, json=values), "POST", url)

    async def change(self, resource: Named, record: Record, **values: Any) -> dict[str, Any]:
        """Change the given fields of a record; return it."""
        url = self._url(resource, record)
        return await self._one(await self.browser.patch(url, json=values), "PATCH", url)

    async def delete(self, resource: Named, record: Record) -> None:
        """Delete a record."""
        url = self._url(resource, record)
        await self._answered(await self.browser.delete(url), "DELETE", url)

    async def run(
        self,
        resource: Named,
        action: str,
        records: Record | Sequence[Record] = (),
        *,
        matching: Mapping[str, Any] | None = None,
        **answers: Any,
    ) -> dict[str, Any]:
        """Do an action on a record, on several, or on all that match a list.

        matching: the filters of that list, `{"q": "nova", "age_min": 18}`; `{}` is all records.
        answers: the values of its form. Return what is answered: `message`, `count`, `operation`,
        and `job`, the id of the one that does it for many records. Fails if it answers with a file.
        """
        of = named(self.site, resource)
        done = named_action(of.actions, action)
        body: dict[str, Any] = {"all_matching": matching}
        if matching is None:
            body = {"ids": [key_in_url(of, each) for each in many_of(records)]}
        if done.form is not None:
            body["form"] = answers
        url = f"{self._url(resource)}/actions/{done.name}"
        page = await self._answered(await self.browser.post(url, json=body), "POST", url)
        is_file = "content-disposition" in page.headers
        assert not is_file, (
            f"{done.label!r} answers with a file: send browser.post({url!r}, json=…)."
        )
        found: dict[str, Any] = page.json()
        return found

    def _url(self, resource: Named, record: Record = None) -> str:
        of = named(self.site, resource)
        at = f"{self.start}{of.name}"
        return at if record is None else f"{at}/{key_in_url(of, record)}"

    async def _one(self, page: Page, method: str, url: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self._answered(page, method, url)).json()
        return found

    async def _answered(self, page: Page, method: str, url: str) -> Page:
        if page.status_code >= 300:
            raise Refused(f"{method} {url} was refused", page, api_errors(page))
        return page
