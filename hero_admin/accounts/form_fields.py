"""Form fields of accounts, and the parameters of their URLs."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from hero_admin.person import Role
from hero_admin.web.errors import Invalid

MAX_ID = 2**31 - 1
MEANINGS = {
    Role.VIEWER: "Can view everything except masked values.",
    Role.EDITOR: "Can also create, edit and delete records.",
    Role.OWNER: "Can also manage people.",
}


@dataclass(frozen=True)
class Choice:
    """One option of a group, with its explanation."""

    value: str
    label: str
    hint: str = ""


def text_in(form: FormData, name: str) -> str:
    """Return the text of a field, "" if there is none."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def id_in(request: Request, name: str) -> int:
    """Return the number in the path; raises 404 for anything else."""
    text: str = request.path_params[name]
    is_id = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))
    if not is_id or int(text) > MAX_ID:
        raise HTTPException(404)
    return int(text)


def parse_role(text: str) -> Role:
    """Return the chosen role; raises Invalid for `role`."""
    if text not in list(Role):
        raise Invalid({"role": "Choose a role."})
    return Role(text)


def role_choices(highest: Role, meanings: Mapping[Role, str] = MEANINGS) -> list[Choice]:
    """Return the roles up to one of them, with what each may do."""
    return [
        Choice(role.value, role.value.capitalize(), meanings[role])
        for role in Role
        if highest.includes(role)
    ]
