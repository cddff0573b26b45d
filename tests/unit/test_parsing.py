"""The quick reader of pages makes the very tree that Beautiful Soup makes."""

import pytest
from bs4 import BeautifulSoup, Tag
from bs4.element import PageElement

from hero_admin.testing.page import parsing

LINKS = ("parent", "previous_element", "next_element", "previous_sibling", "next_sibling")
PLAIN = [
    "",
    " \n ",
    "<!doctype html>\n<html lang=en><head><title>A &amp; B</title></head><body> \n<p>x</p> </body>",
    "<DIV Class='a b' id=x hidden data-a='&lt;\"&gt;'>a<br>b<br />c<!-- d --></DIV>e",
    "<ul><li>a<li>b</ul></p><p>c</i>d<p>e",
    "<svg viewBox='0 0 1 1'><path d='M0 0'/></svg><input disabled value=''>",
    "<textarea>\n \n</textarea><pre>  </pre> <template> <b> c </b></template> <b>d</b>",
    "<div><textarea> </div>  <script src='/a'></script><script>a < b && '<p>'</script>",
    "<style> </style>&#x27;",
    "<a href=x a=1 a=2>&#39;&quot;&nbsp;&#34;</a>",
]
ODD = [
    "a < b",
    "<p>&hellip; &amp &unknown; & more</p>",
    "<a href=/x/>y</a>",
    "<p title='a'class=b>",
    "</br><p",
    "<script>a</b></script>",
    "<!-- a -- b --><![CDATA[x]]><?php ?>",
    "<script />a<b>c</b>",
    "<x:y>z</x:y>",
]


@pytest.mark.parametrize("text", [*PLAIN, *ODD])
def test_the_tree_is_the_one_of_beautiful_soup(text: str) -> None:
    wanted = parsing.Document(
        text, "html.parser", store_line_numbers=False, multi_valued_attributes=None
    )
    assert told(parsing.soup_of(text)) == told(wanted)


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_plain_is_read_quickly(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(text: str, *args: object, **named: object) -> BeautifulSoup:
        assert not text
        return whole(text, *args, **named)  # type: ignore[arg-type]  # as it was called

    whole = parsing.Document
    monkeypatch.setattr(parsing, "Document", refused)
    parsing.soup_of(text)


def told(tree: BeautifulSoup) -> list[object]:
    """All that stands in a tree, and what each of it is next to."""
    elements: list[PageElement] = [tree, *tree.descendants]
    positions = {id(element): position for position, element in enumerate(elements)}
    return [
        (
            type(element),
            (element.name, element.attrs) if isinstance(element, Tag) else str(element),
            {
                name: value
                for name, value in vars(element).items()
                if isinstance(element, Tag)
                and name not in (*LINKS, "contents", "builder", "markup")
                and element is not tree
            },
            [positions.get(id(getattr(element, link))) for link in LINKS],
            [positions[id(one)] for one in element.contents] if isinstance(element, Tag) else [],
        )
        for element in elements
    ]
