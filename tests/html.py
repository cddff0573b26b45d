"""Reading pages as people do: by heading, label, role and id; and sending forms as browsers do.

Every helper takes a response (or its markup) and fails with a sentence when the page lacks what is
asked for. None of them looks at a CSS class.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlencode, urljoin

import httpx
from bs4 import Tag
from bs4.element import NavigableString

from tests.parsing import Document, soup_of

type_ = type
Page = httpx.Response | str | Tag
Value = str | bool | list[str] | None

BASE_URL = "http://localhost/"
CONTROLS = ("input", "select", "textarea", "button", "output")
# What takes no part in the text: machine-readable, drawn, or meant for nobody.
UNREAD = ("script", "style", "template", "svg")
BUTTON_TYPES = ("submit", "image", "reset", "button")


@dataclass(frozen=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True)
class Deed:
    """One line of a history: the sentence, when it was, and the text beside each field."""

    said: str
    at: str
    values: dict[str, str]


@dataclass(frozen=True)
class Field:
    """A control with its label: the `value` it would submit, its attributes, its options."""

    label: str
    tag: Tag
    value: str | list[str]
    options: dict[str, str]

    @property
    def name(self) -> str:
        return attribute(self.tag, "name")

    @property
    def id(self) -> str:
        return attribute(self.tag, "id")

    @property
    def type(self) -> str:
        return attribute(self.tag, "type", "text") if self.tag.name == "input" else self.tag.name

    @property
    def is_required(self) -> bool:
        return attribute(self.tag, "aria-required") == "true"

    @property
    def is_invalid(self) -> bool:
        return attribute(self.tag, "aria-invalid") == "true"

    @property
    def is_focused(self) -> bool:
        """Whether the page opens with the cursor in it."""
        return self.tag.has_attr("autofocus")


@dataclass
class Form:
    """What a browser without JavaScript would send when a button is pressed."""

    tag: Tag
    url: str
    button: Tag | None
    method: str
    enctype: str
    data: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        values = self.data[name]
        assert len(values) == 1, f"{name} would be sent {len(values)} times: {values}"
        return values[0]

    def __contains__(self, name: str) -> bool:
        return name in self.data

    @property
    def values(self) -> dict[str, str | list[str]]:
        """Everything that would be sent; a list only for what would be sent more than once."""
        return {
            name: values[0] if len(values) == 1 else values for name, values in self.data.items()
        }


# Reading


def parsed(page: Page) -> Tag:
    """The markup of a response; a part of a page is passed through."""
    if isinstance(page, Tag):
        return page
    return _parsed(page if isinstance(page, str) else page.text)


# Parsing takes longer than the request did, and a test asks one page for many things.
@lru_cache(maxsize=8)
def _parsed(text: str) -> Tag:
    return soup_of(text)


def text_of(tag: Tag) -> str:
    """The text as it is read out, whitespace folded."""
    return " ".join("".join(_texts(tag)).split())


def title_of(page: Page) -> str:
    return text_of(_one(_first(parsed(page), "title"), "a title"))


def heading_of(page: Page) -> str:
    """The text of the page's only <h1>."""
    headings = _all(parsed(page), "h1")
    assert len(headings) == 1, f"a page has one h1, this one has {len(headings)}"
    return text_of(headings[0])


def by_id(page: Page, id_: str) -> Tag:
    """The only element with an id."""
    found = _with_id(parsed(page), id_)
    assert len(found) == 1, f"one element has the id {id_!r}, not {len(found)}"
    return found[0]


def table_of(page: Page, caption: str | None = None) -> Tag:
    """The only table, or the one with a caption or an accessible name."""
    root = parsed(page)
    tables = [tag for tag in _all(root, "table") if caption in (None, _name_of(root, tag))]
    assert len(tables) == 1, f"one table {caption or ''!r} expected, found {len(tables)}"
    return tables[0]


def columns_of(page: Page, caption: str | None = None) -> list[str]:
    """The column labels, without those that only hold controls."""
    return [label for label in _columns(table_of(page, caption)) if label]


def sorted_by(page: Page, caption: str | None = None) -> tuple[str, str] | None:
    """The column that tells it is sorted, and how: ("Age", "descending")."""
    found = [
        (text_of(cell), attribute(cell, "aria-sort"))
        for cell in _all(table_of(page, caption), "th")
        if attribute(cell, "scope") == "col" and attribute(cell, "aria-sort", "none") != "none"
    ]
    assert len(found) <= 1, f"sorted by more than one column: {found}"
    return found[0] if found else None


def rows_of(page: Page, caption: str | None = None) -> list[dict[str, str]]:
    """The rows of a table, each as column label → text; [] when the page has no table."""
    if caption is None and _first(parsed(page), "table") is None:
        return []
    columns = _columns(table_of(page, caption))
    return [
        {label: text_of(cell) for label, cell in zip(columns, _cells(row), strict=True) if label}
        for row in _body_rows(table_of(page, caption))
    ]


def row_of(page: Page, name: str, caption: str | None = None) -> Tag:
    """The table row whose row header reads `name`."""
    rows = [
        row
        for row in _body_rows(table_of(page, caption))
        if any(text_of(cell) == name for cell in _row_headers(row))
    ]
    assert len(rows) == 1, f"one row {name!r} expected, found {len(rows)}"
    return rows[0]


def marked_rows_of(page: Page, caption: str | None = None) -> list[str]:
    """The row headers of the rows that are marked as the ones just saved."""
    return [
        text_of(_one(next(iter(_row_headers(row)), None), "row header"))
        for row in _body_rows(table_of(page, caption))
        if row.has_attr("data-marked")
    ]


def facts_of(page: Page) -> dict[str, str]:
    """The terms and descriptions of all description lists: label → text."""
    facts: dict[str, str] = {}
    for term in _all(parsed(page), "dt"):
        description = _one(term.find_next_sibling("dd"), f"a description of {text_of(term)!r}")
        facts[text_of(term)] = text_of(description)
    return facts


def links_of(page: Page) -> list[Link]:
    """All links, each with the name that is read out for it."""
    root = parsed(page)
    return [
        Link(_name_of(root, tag), attribute(tag, "href"))
        for tag in _all(root, "a")
        if tag.has_attr("href")
    ]


def link(page: Page, text: str) -> str:
    """The address behind the link that is read out as `text`."""
    links = links_of(page)
    addresses = {one.href for one in links if one.text == text}
    assert len(addresses) == 1, (
        f"one address behind {text!r} expected, found {sorted(addresses)}; "
        f"the links are {[one.text for one in links]}"
    )
    return addresses.pop()


def chips_of(page: Page) -> dict[str, str]:
    """The filters in force, each with the address that removes it: "Team: Preventers" → URL."""
    prefix = "Remove the filter "
    return {
        one.text.removeprefix(prefix): one.href
        for one in links_of(page)
        if one.text.startswith(prefix)
    }


def flash_of(page: Page) -> str:
    """The message in the toasts, without what to do about it; "" when there is none."""
    toasts = by_id(page, "toasts")
    assert attribute(toasts, "role") == "status", "nobody is told about a toast without a role"
    return " ".join(text_of(message) for message in _all(toasts, "p"))


def undo_of(page: Page) -> Form:
    """The form behind the button of a toast that takes back what was just done, or undone."""
    names = {text_of(button) for button in _all(parsed(page), "button")}
    return form_of(page, press="Redo" if "Redo" in names else "Undo")


def deeds_of(page: Page) -> list[Deed]:
    """What a page of the history tells, the newest first."""
    return [
        Deed(
            text_of(_one(_first(line, "p"), "sentence")).replace(text_of(moment), "").strip(),
            attribute(moment, "datetime"),
            {
                text_of(term): text_of(_one(term.find_next_sibling("dd"), "description"))
                for term in _all(line, "dt")
            },
        )
        for line in _all(by_id(page, "timeline"), "li")
        for moment in [_one(_first(line, "time"), "time")]
    ]


def alert_of(page: Page) -> str:
    """The text of what is announced at once, such as the error summary; "" when there is none."""
    return " ".join(
        text_of(tag) for tag in _elements(parsed(page)) if attribute(tag, "role") == "alert"
    )


def field_of(page: Page, label: str) -> Field:
    """The control with a label."""
    root = parsed(page)
    controls = [tag for tag in _labelled(root) if _name_of(root, tag) == label]
    assert len(controls) == 1, (
        f"one field {label!r} expected, found {len(controls)}; "
        f"the fields are {[_name_of(root, tag) for tag in _labelled(root)]}"
    )
    control = controls[0]
    if control.name == "fieldset":
        return _choice_of(root, control, label)
    sent = _sent_by(control)
    is_many = control.name == "select" and control.has_attr("multiple")
    return Field(label, control, sent if is_many else "".join(sent), _options_of(control))


def error_beside(page: Page, label: str) -> str:
    """The sentence beside a field that was refused, "" beside one that was not.

    Fails when the sentence is there and a screen reader would not be told.
    """
    control = field_of(page, label)
    error_id = f"{control.id or control.name}-error"
    described_by = attribute(control.tag, "aria-describedby").split()
    shown = [tag for tag in _with_id(parsed(page), error_id) if text_of(tag)]
    if not shown:
        assert not control.is_invalid, f"{label} is marked as invalid and does not say why"
        return ""
    assert control.is_invalid, f"the error of {label} is shown, and the field not marked"
    assert error_id in described_by, f"the error of {label} is shown, but not tied to the field"
    return text_of(shown[0])


def errors_of(page: Page) -> dict[str, str]:
    """All errors beside fields: label → sentence."""
    root = parsed(page)
    labels = [_name_of(root, tag) for tag in _labelled(root)]
    marked = {label: error_beside(page, label) for label in labels if labels.count(label) == 1}
    return {label: sentence for label, sentence in marked.items() if sentence}


# Sending


def form_of(page: Page, *, press: str | None = None, name: str | None = None) -> Form:
    """The form that a button belongs to, with everything pressing that button would send.

    `press` is what the button is called; without it Enter is pressed in the only posting form of
    the page's main part, or in the form whose accessible name, id or action is `name`.
    """
    root = parsed(page)
    address = str(page.url) if isinstance(page, httpx.Response) else BASE_URL
    forms = _all(root, "form")
    if name is not None:
        forms = [
            tag
            for tag in forms
            if name in (_name_of(root, tag), attribute(tag, "id"), attribute(tag, "action"))
        ]
    elif press is None:
        main = _first(root, "main") or root
        forms = [tag for tag in _all(main, "form") if attribute(tag, "method").lower() == "post"]
    pressed: list[tuple[Tag, Tag | None]] = []
    for form in forms:
        buttons = [tag for tag in _controls_of(root, form) if _submits(tag)]
        if press is None:
            pressed.append((form, buttons[0] if buttons else None))
        else:
            pressed += [(form, button) for button in buttons if _name_of(root, button) == press]
    assert len(pressed) == 1, f"one form to send expected ({press=}, {name=}), found {len(pressed)}"
    return _form(root, *pressed[0], address)


async def submit(
    client: httpx.AsyncClient,
    form: Form,
    changes: Mapping[str, Value] | None = None,
    /,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Value,
) -> httpx.Response:
    """Fill in a form and send it; the answer as it is, no redirect followed.

    Changes go by the control's name. Only what a browser could send is accepted: an option that is
    there, True or False for a checkbox, text for a text field, None to clear it.
    """
    data = {name: list(values) for name, values in form.data.items()}
    for name, value in {**(changes or {}), **more}.items():
        data[name] = _filled_in(form, name, value)
    pairs = [(name, value) for name, values in data.items() for value in values]
    if form.method == "get":
        url = httpx.URL(form.url).copy_with(query=urlencode(pairs).encode())
        return await client.get(url, headers=headers)
    origin = httpx.URL(form.url).copy_with(raw_path=b"/")
    sent_headers = {
        "Origin": str(origin).rstrip("/"),
        "Sec-Fetch-Site": "same-origin",
        **(headers or {}),
    }
    if form.enctype == "multipart/form-data":
        parts = [(name, (None, value)) for name, value in pairs]
        empty = [(name, ("", b"", "application/octet-stream")) for name in form.files]
        return await client.post(form.url, files=[*parts, *empty], headers=sent_headers)
    sent_headers["Content-Type"] = "application/x-www-form-urlencoded"
    return await client.post(form.url, content=urlencode(pairs), headers=sent_headers)


async def follow(client: httpx.AsyncClient, response: httpx.Response) -> httpx.Response:
    """The page that a redirect leads to, whether for a browser (303) or for htmx (HX-Redirect)."""
    address = response.headers.get("location") or response.headers.get("hx-redirect")
    assert address, f"{response.status_code} is no redirect: {response.text[:500]}"
    return await client.get(response.url.join(address))


def htmx_headers(target: str, *, current_url: str = BASE_URL) -> dict[str, str]:
    """What htmx 4 sends when it asks for a fragment; the target is written `section#list`."""
    return {
        "HX-Request": "true",
        "HX-Request-Type": "partial",
        "HX-Target": target,
        "HX-Current-URL": current_url,
    }


# How the markup is read


def attribute(tag: Tag, name: str, default: str = "") -> str:
    """An attribute's value as text; one without a value is ""."""
    value = tag.get(name)
    if value is None:
        return default
    return value if isinstance(value, str) else " ".join(value)


# Beautiful Soup's own search can match by pattern, function and text as well, and asks every node
# for all of these: it took twice as long as parsing the page.


def _elements(root: Tag) -> list[Tag]:
    """Everything inside, in the order of the page."""
    if isinstance(root, Document):
        return root.elements
    return [tag for tag in root.descendants if isinstance(tag, Tag)]


def _all(root: Tag, *names: str) -> list[Tag]:
    return [tag for tag in _elements(root) if tag.name in names]


def _first(root: Tag, name: str) -> Tag | None:
    return next((tag for tag in _elements(root) if tag.name == name), None)


def _with_id(root: Tag, id_: str) -> list[Tag]:
    return [tag for tag in _elements(root) if attribute(tag, "id") == id_]


def _parent(tag: Tag, *names: str) -> Tag | None:
    """The nearest element around it with one of the names."""
    return next((parent for parent in tag.parents if parent.name in names), None)


def _one(tag: object, what: str) -> Tag:
    assert isinstance(tag, Tag), f"the page has no {what}"
    return tag


def _texts(tag: Tag) -> Iterator[str]:
    for child in tag.children:
        # Comments are strings too, of a class of their own.
        if type(child) is NavigableString:
            yield str(child)
        elif isinstance(child, Tag) and not _is_unread(child):
            # Blocks stand apart from what surrounds them, words in a line do not.
            is_inline = child.name in ("a", "abbr", "b", "em", "i", "kbd", "mark", "span", "strong")
            yield from _texts(child) if is_inline else (" ", *_texts(child), " ")


def _is_unread(tag: Tag) -> bool:
    return tag.name in UNREAD or tag.has_attr("hidden") or attribute(tag, "aria-hidden") == "true"


def _name_of(root: Tag, tag: Tag) -> str:
    """The accessible name, of the ways that occur here."""
    if tag.has_attr("aria-labelledby"):
        ids = attribute(tag, "aria-labelledby").split()
        return " ".join(text_of(by_id(_page_of(tag, root), id_)) for id_ in ids)
    if tag.has_attr("aria-label"):
        return attribute(tag, "aria-label")
    if tag.name in ("table", "fieldset"):
        titles = tag.find("caption" if tag.name == "table" else "legend", recursive=False)
        return text_of(titles) if isinstance(titles, Tag) else ""
    if tag.name in ("input", "select", "textarea", "output"):
        label = _label_of(_page_of(tag, root), tag)
        if label is not None:
            return _label_text(label)
        return attribute(tag, "value" if _submits(tag) else "title")
    if tag.name == "form":
        return ""
    return text_of(tag) or attribute(tag, "title")


def _page_of(tag: Tag, root: Tag) -> Tag:
    """The whole page, when only a part of it was asked about."""
    page = root
    for parent in tag.parents:
        page = parent
    return page


def _label_of(page: Tag, control: Tag) -> Tag | None:
    id_ = attribute(control, "id")
    labels = [tag for tag in _all(page, "label") if attribute(tag, "for") == id_] if id_ else []
    return labels[0] if labels else _parent(control, "label")


def _label_text(label: Tag) -> str:
    """The words of a label, without the control that may stand inside it."""
    inside = _all(label, *CONTROLS)
    words = " ".join(
        "".join(
            str(text)
            for text in label.find_all(string=True)
            if type(text) is NavigableString
            and not any(parent in inside or _is_unread(parent) for parent in text.parents)
        ).split()
    )
    return re.sub(r"\s*(\*|\(?(optional|required)\)?)$", "", words)


def _labelled(root: Tag) -> list[Tag]:
    """Everything that is filled in under one label: controls, and groups of radios or boxes."""
    groups = [tag for tag in _all(root, "fieldset") if _radios(tag)]
    controls = [
        tag
        for tag in _all(root, "input", "select", "textarea")
        if attribute(tag, "type").lower() not in ("hidden", *BUTTON_TYPES)
        and not (attribute(tag, "type") == "radio" and _parent(tag, "fieldset"))
    ]
    return [*controls, *groups]


def _choice_of(root: Tag, group: Tag, label: str) -> Field:
    radios = _radios(group)
    chosen = next((tag for tag in radios if tag.has_attr("checked")), radios[0])
    options = {_name_of(root, tag): attribute(tag, "value", "on") for tag in radios}
    return Field(label, chosen, "".join(_sent_by(chosen)), options)


def _options_of(control: Tag) -> dict[str, str]:
    """The options of a select, or of the datalist of an input: text → value."""
    return {text_of(tag): _option_value(tag) for tag in _all(control, "option")}


def _radios(group: Tag) -> list[Tag]:
    return [tag for tag in _all(group, "input") if attribute(tag, "type") == "radio"]


def _row_headers(row: Tag) -> list[Tag]:
    return [tag for tag in _all(row, "th") if attribute(tag, "scope") == "row"]


def _columns(table: Tag) -> list[str]:
    header = _first(_one(_first(table, "thead"), "table header"), "tr")
    return [
        "" if _first(cell, "input") or cell.name != "th" else text_of(cell)
        for cell in _cells(_one(header, "header row"))
    ]


def _cells(row: Tag) -> list[Tag]:
    return row.find_all(("th", "td"), recursive=False)


def _body_rows(table: Tag) -> list[Tag]:
    return [row for body in _all(table, "tbody") for row in body.find_all("tr", recursive=False)]


# How forms are sent: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html


def _form(root: Tag, tag: Tag, button: Tag | None, address: str) -> Form:
    def setting(name: str, default: str) -> str:
        own = attribute(tag, name, default)
        return attribute(button, f"form{name}", own) if button is not None else own

    form = Form(
        tag=tag,
        url=urljoin(address, setting("action", "") or address),
        button=button,
        method=setting("method", "get").lower(),
        enctype=setting("enctype", "application/x-www-form-urlencoded").lower(),
    )
    for control in _controls_of(root, tag):
        name = attribute(control, "name")
        if not name or (_is_button(control) and control is not button):
            continue
        if attribute(control, "type").lower() == "file":
            form.files.append(name)
            continue
        sent = _sent_by(control)
        if sent:
            form.data.setdefault(name, []).extend(sent)
    return form


def _controls_of(root: Tag, form: Tag) -> list[Tag]:
    """The enabled controls that belong to a form, also those elsewhere on the page."""
    id_ = attribute(form, "id")
    return [
        tag
        for tag in _all(_page_of(form, root), *CONTROLS)
        if not _is_disabled(tag)
        and (
            (id_ and attribute(tag, "form") == id_)
            if tag.has_attr("form")
            else _parent(tag, "form") is form
        )
    ]


def _is_disabled(control: Tag) -> bool:
    if control.has_attr("disabled") or _parent(control, "datalist", "template"):
        return True
    if control.name == "option":
        group = _parent(control, "optgroup")
        return group is not None and group.has_attr("disabled")
    for group in control.parents:
        if group.name == "fieldset" and group.has_attr("disabled"):
            legend = group.find("legend", recursive=False)
            if legend is None or legend not in control.parents:
                return True
    return False


def _is_button(control: Tag) -> bool:
    if control.name == "button":
        return True
    return control.name == "input" and attribute(control, "type").lower() in BUTTON_TYPES


def _submits(control: Tag) -> bool:
    kind = attribute(control, "type", "submit" if control.name == "button" else "text").lower()
    return _is_button(control) and kind in ("submit", "image")


def _sent_by(control: Tag) -> list[str]:
    """The values that an enabled control sends; none for a box that is not ticked."""
    kind = attribute(control, "type").lower()
    if control.name == "output":
        return []
    if control.name == "select":
        return _selected(control)
    if control.name == "textarea":
        text = "".join(str(part) for part in control.strings).removeprefix("\n")
        return [text.replace("\r\n", "\n").replace("\n", "\r\n")]
    if kind in ("checkbox", "radio"):
        return [attribute(control, "value", "on")] if control.has_attr("checked") else []
    return [attribute(control, "value")]


def _selected(select: Tag) -> list[str]:
    options = _all(select, "option")
    selected = [tag for tag in options if tag.has_attr("selected")]
    if not select.has_attr("multiple"):
        enabled = [tag for tag in options if not _is_disabled(tag)]
        selected = selected[-1:] or enabled[:1]
    return [_option_value(tag) for tag in selected if not _is_disabled(tag)]


def _option_value(option: Tag) -> str:
    return attribute(option, "value", text_of(option))


def _filled_in(form: Form, name: str, value: Value) -> list[str]:
    controls = [
        tag
        for tag in _controls_of(form.tag, form.tag)
        if attribute(tag, "name") == name and not _is_button(tag)
    ]
    assert controls, f"the form has no control {name!r} to fill in"
    boxes = [tag for tag in controls if attribute(tag, "type").lower() == "checkbox"]
    if isinstance(value, bool) and boxes:
        # What a box sends when it is not ticked stands in a hidden field before it.
        hidden = [attribute(tag, "value") for tag in controls if tag not in boxes]
        return [*hidden, *_chosen(boxes, name, value)]
    control = controls[0]
    kind = attribute(control, "type").lower()
    if kind in ("checkbox", "radio") or control.name == "select":
        return _chosen(controls, name, value)
    assert not control.has_attr("readonly"), f"{name} can only be read"
    assert not isinstance(value, bool), f"{name} is no checkbox"
    if isinstance(value, list):
        return value
    return ["" if value is None else value]


def _chosen(controls: list[Tag], name: str, value: Value) -> list[str]:
    offered = [
        one
        for tag in controls
        for one in (
            [_option_value(option) for option in _all(tag, "option")]
            if tag.name == "select"
            else [attribute(tag, "value", "on")]
        )
    ]
    if isinstance(value, bool):
        assert len(offered) == 1, f"{name} is no single checkbox: {offered}"
        return offered if value else []
    wanted = value if isinstance(value, list) else [] if value is None else [value]
    missing = [one for one in wanted if one not in offered]
    assert not missing, f"{name} does not offer {missing}, only {offered}"
    return wanted
