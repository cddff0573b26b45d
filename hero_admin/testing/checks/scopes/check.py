"""`check_scopes`: asks an Admin for what somebody may not see, in every way there is."""

from collections.abc import Sequence

from sqlmodel import SQLModel

from hero_admin.person import Person, Role
from hero_admin.testing.admin_browser import AdminBrowser
from hero_admin.testing.checks.scopes.outside import find_outside, mark_outside
from hero_admin.testing.checks.scopes.references import refer
from hero_admin.testing.checks.scopes.subjects import noted
from hero_admin.testing.checks.scopes.unreadable import find_unreadable, mark_unreadable
from hero_admin.testing.checks.scopes.walk import ScopeWalk, Walk
from hero_admin.testing.people import person_of

MAX_TOLD = 50


async def check_scopes(
    admin: AdminBrowser,
    person: Person,
    *,
    outside: Sequence[SQLModel] = (),
    seen_by: Person | None = None,
) -> ScopeWalk:
    """Check that a person learns nothing of what they may not see, by any request.

    Of each resource whose `rows=` leave out some for this person, one is taken, or those that are
    given; its texts and numbers are set to random markers, and records inside come to refer to it.
    Of each resource with `rights=` to fields that this person may not read, the first record that
    they see gets markers in those fields.
    Then every route of the pages and of the API is asked about it: shown, listed, searched, sorted,
    filtered, exported, picked, changed, deleted, restored, and undone, alone and with others, as
    pages and as fragments. Each answer must have the status that it has for a record, or a field,
    that does not exist, and contain no marker; searches must find as little; the record, or those
    fields of it, must stay as they are. The same again once it is deleted. All pages that links
    lead to are looked through, too.

    outside: stored records. seen_by: who sees and may change and delete everything; an owner.
    Fails if there is nothing that the person may not see, if nothing of a record outside could be
    marked, and if whoever sees a record would not have found its markers, either.
    """
    seer, watched = admin.another(), admin.another()
    await seer.sign_in(seen_by or person_of(Role.OWNER))
    person = await watched.sign_in(person)
    walk = Walk(seer, watched, person)
    records = await find_outside(seer, person, outside)
    unreadable = await find_unreadable(seer, person, walk.seen_site)
    assert records or unreadable, (
        f"{person.name} may see everything: no rows= leaves out records, and no rights= fields."
    )
    marked = [await mark_outside(seer, person, resource, key) for resource, key in records]
    for each in marked:
        walk.count.records.append(each.name)
        walk.count.references += await refer(seer, watched, person, each.target)
    marked += [await mark_unreadable(seer, person, each) for each in unreadable]
    for each in marked:
        walk.markers |= each.markers
    subjects = [await noted(seer, each) for each in marked]
    for each in subjects:
        await walk.ask(each)
    await walk.look_around()
    for each in subjects:
        await walk.ask_deleted(each)
    leaks = [f"{asked}: {'; '.join(found)}" for asked, found in walk.answers.leaks.items()]
    told = [f"{person.name} ({person.role}) learns of {', '.join(each.name for each in marked)}:"]
    told += leaks[:MAX_TOLD]
    told += [f"and {len(leaks) - MAX_TOLD} more"] if len(leaks) > MAX_TOLD else []
    assert not leaks, "\n".join(told)
    walk.count.requests = walk.answers.requests
    return walk.count
