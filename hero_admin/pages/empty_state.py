"""Empty states: why a page has no rows, and what to do about it."""

from dataclasses import dataclass

from hero_admin.history.timeline_query import TimelineQuery
from hero_admin.listing.query import ListQuery
from hero_admin.listing.results import Page
from hero_admin.listing.urls import ListUrls
from hero_admin.web.texts import capitalised

MAX_QUOTED_CHARACTERS = 60


@dataclass(frozen=True)
class EmptyState:
    """A heading, a sentence, and links as pairs of a label and a URL."""

    heading: str
    text: str
    links: tuple[tuple[str, str], ...] = ()
    icon: str = "search"


NO_ACCOUNTS = EmptyState(
    "No accounts yet", "People you invite set a password and can sign in.", icon="person"
)
NO_TOKENS = EmptyState(
    "No tokens", "Tokens that people create for programs on their account page.", icon="api"
)


def empty_timeline(query: TimelineQuery) -> EmptyState:
    """Return the empty state of a history without changes."""
    if query.is_narrowed:
        return EmptyState(
            "No matching changes",
            "Remove a filter to see more.",
            (("Show everything", query.path),),
            icon="history",
        )
    return EmptyState(
        "No changes yet",
        "Everything created, edited or deleted from now on is listed here.",
        icon="history",
    )


def empty_events(path: str, *, is_narrowed: bool) -> EmptyState:
    """Return the empty state of the audit log without events."""
    if is_narrowed:
        show_all = (("Show everything", path),)
        text = "Remove a filter to see more."
        return EmptyState("No matching events", text, show_all, icon="history")
    text = "Sign-ins, exports, masked values and refusals are listed here."
    return EmptyState("No events yet", text, icon="history")


def empty_list(query: ListQuery, urls: ListUrls, page: Page, *, can_add: bool) -> EmptyState:
    """Return the empty state of a list without rows."""
    nouns = query.resource.label_plural
    show_all = (f"Show all {nouns}", urls.cleared)
    if page.scanned_count:
        return EmptyState(
            "Nothing found so far",
            f"Searched the first {page.scanned_count:,} {nouns}. Try a longer search, or a filter.",
            (("Keep searching", urls.further(page)), show_all),
        )
    if page.is_partial:
        return EmptyState(
            f"No {nouns} have a word that starts with “{_quoted(query.text)}”",
            f"With so many {nouns}, a short search only looks at the start of words."
            " Type more to search anywhere.",
            (show_all,),
        )
    if query.cursor is not None:
        return EmptyState(
            "Nothing here any more",
            f"These {nouns} were moved or deleted.",
            (("Go to the first page", urls.first),),
            icon=query.resource.icon,
        )
    is_filtered = any(each.is_active for each in query.filters)
    without_filters = ("Remove the filters", urls.unfiltered)
    if query.text:
        advice = (
            "Check the spelling, or remove the filters." if is_filtered else "Check the spelling."
        )
        return EmptyState(
            f"No {nouns} match “{_quoted(query.text)}”",
            advice,
            (without_filters, show_all) if is_filtered else (show_all,),
        )
    if is_filtered:
        return EmptyState(
            f"No {nouns} match these filters", "Remove a filter to see more.", (show_all,)
        )
    later = "{nouns} you add will appear here." if can_add else "New {nouns} will appear here."
    return EmptyState(
        f"No {nouns} here" if query.scope else f"No {nouns} yet",
        capitalised(later.format(nouns=nouns)),
        icon=query.resource.icon,
    )


def _quoted(text: str) -> str:
    return text if len(text) <= MAX_QUOTED_CHARACTERS else f"{text[:MAX_QUOTED_CHARACTERS]}…"
