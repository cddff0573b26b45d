"""Tasks: what a job does to the records of one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from hero_admin.forms.link_texts import LinkTexts, read_deltas
from hero_admin.forms.submission import read_answers, read_changes
from hero_admin.jobs.table import Job, JobKind
from hero_admin.jobs.workplace import TaskError
from hero_admin.model.actions import Action
from hero_admin.model.primary_keys import Key
from hero_admin.model.resource import Resource
from hero_admin.model.site import Site
from hero_admin.rights import ACTION
from hero_admin.web.errors import Invalid
from hero_admin.writes import bulk, deletion
from hero_admin.writes.links import change_all_links
from hero_admin.writes.rules import checked_together
from hero_admin.writes.run import Download, Redirect, Run
from hero_admin.writes.transaction import Transaction

TOO_LONG_FOR_A_FILE = "An action that answers with a file is for fewer records."


@dataclass(frozen=True)
class Outcome:
    """What a batch came to: whether it has changed anything, and a sentence that says what."""

    is_change: bool
    message: str = ""


class Task(Protocol):
    """What a job does to some records, all or, raising Invalid, none."""

    async def do(self, transaction: Transaction, keys: Sequence[Key], earlier: int) -> Outcome:
        """Do it to the records of these keys; `earlier` is how many it was done to before."""


@dataclass(frozen=True)
class ActionTask:
    """An action of the application."""

    resource: Resource
    action: Action
    # The form, if there is one.
    data: tuple[object, ...]

    async def do(self, transaction: Transaction, keys: Sequence[Key], earlier: int) -> Outcome:
        async with checked_together(transaction) as together:
            # Any: the model is known at run time only.
            run: Run[Any] = Run(together, self.resource, keys, earlier)
            answer = await self.action.function(run, *self.data)
        if isinstance(answer, Download):
            raise TaskError(TOO_LONG_FOR_A_FILE)
        message = answer.message if isinstance(answer, Redirect) else answer
        return Outcome(run.is_change, message or "")


@dataclass(frozen=True)
class EditTask:
    """A bulk edit: the texts of its fields, and what was added to and removed from links."""

    resource: Resource
    texts: Mapping[str, str]
    links: Mapping[str, LinkTexts]

    async def do(self, transaction: Transaction, keys: Sequence[Key], earlier: int) -> Outcome:
        session, resource = transaction.session, self.resource
        values = read_changes(resource, self.texts)
        deltas = read_deltas(resource.many_to_many, self.links)
        await bulk.lock_targets(session, transaction.site, resource, values)
        async with checked_together(transaction, resource) as together:
            changed = await bulk.change_many(together, resource, keys, values) if values else set()
            if deltas:
                states = await bulk.fetch_states(session, resource, keys)
                changed |= await change_all_links(together, resource, [*states.values()], deltas)
        return Outcome(bool(changed), f"Changed {resource.counted(earlier + len(keys))}")


@dataclass(frozen=True)
class DeleteTask:
    """A bulk deletion, without replacements."""

    resource: Resource

    async def do(self, transaction: Transaction, keys: Sequence[Key], earlier: int) -> Outcome:
        await deletion.remove(transaction, self.resource, keys)
        return Outcome(True, f"Deleted {self.resource.counted(earlier + len(keys))}")


def verb_of(job: Job) -> str:
    """Return the right that a job on records needs."""
    match JobKind(job.kind):
        case JobKind.EDIT:
            return "change"
        case JobKind.DELETE:
            return "delete"
        case JobKind.ACTION:
            return f"{ACTION}{job.payload['action']}"
        case kind:
            raise AssertionError(kind)


def task_of(site: Site, resource: Resource, job: Job) -> Task:
    """Return what a job does to records; raises TaskError if that is not there any more."""
    payload = job.payload
    match JobKind(job.kind):
        case JobKind.EDIT:
            links = {
                name: LinkTexts(tuple(each["added"]), tuple(each["removed"]))
                for name, each in payload["links"].items()
            }
            return EditTask(resource, payload["texts"], links)
        case JobKind.DELETE:
            return DeleteTask(resource)
        case _:
            return _action_task(site, resource, payload)


# Any: JSON.
def _action_task(site: Site, resource: Resource, payload: Mapping[str, Any]) -> Task:
    name = payload["action"]
    action = next((each for each in resource.actions if each.name == name), None)
    if action is None:
        raise TaskError(f"There is no action “{name}” any more.")
    form = site.form_of(action)
    try:
        if form is None:
            return ActionTask(resource, action, ())
        if "data" in payload:
            return ActionTask(resource, action, (form.schema.model_validate(payload["data"]),))
        return ActionTask(resource, action, (read_answers(form, payload["texts"]),))
    except (Invalid, ValueError) as error:
        raise TaskError(f"Its form can't be read any more: {error}") from None


async def fetch_title(session: AsyncSession, resource: Resource, key: Key) -> str:
    """Fetch the title of a record that a task failed for."""
    found = await bulk.fetch_states(session, resource, [key])
    return next((resource.titles.of(state) for state in found.values()), "")


def as_payload(links: Mapping[str, LinkTexts]) -> dict[str, dict[str, list[str]]]:
    """Return the texts of links as JSON."""
    return {
        name: {"added": list(each.added), "removed": list(each.removed)}
        for name, each in links.items()
    }
