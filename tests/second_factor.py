"""Second factors in tests: an authenticator app, and signing in with its codes."""

import re

import pyotp
from argon2 import PasswordHasher

from hero_admin.accounts.second_factor import authenticator
from hero_admin.testing import Client, Page

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SET_UP = "/account/second-factor/app"


class App:
    """An authenticator app."""

    def __init__(self, key: str) -> None:
        self.totp = pyotp.TOTP(key.replace(" ", ""))

    def code(self, steps: int = 0) -> str:
        """Return the code of now, or of so many half minutes later."""
        return self.totp.generate_otp(authenticator.present_step() + steps)


async def set_up(client: Client) -> tuple[App, list[str]]:
    """Set up an app by the code of half a minute ago; return it with the recovery codes."""
    page = await client.get(SET_UP)
    app = App(str(page.field("Or type this key into the app").value))
    shown = await client.submit(page.form(), code=app.code(-1))
    assert shown.heading == "Recovery codes"
    return app, codes_on(shown)


def codes_on(page: Page) -> list[str]:
    return re.findall(r"(?:\d{4} ){4}\d{4}", page.text)


async def enter_password(client: Client, name: str = "Ann", to: str = "/") -> Page:
    given = {"account.name": name, "account.password": PASSWORD, "account.next": to}
    return await client.post("/sign-in", data=given)


async def enter_code(client: Client, page: Page, code: str) -> Page:
    return await client.submit(page.form(), {"account.code": code})
