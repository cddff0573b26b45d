"""Floor a: the raw driver and a format string."""

from html import escape

from benchmarks.floors.serving import Page, serve_page
from benchmarks.floors.source import Row, open_rows

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Heroes</title>
<link rel="stylesheet" href="/static/site.css"><script src="/static/site.js" defer></script></head>
<body><header><a href="/">Floor</a><nav><a href="/heroes" aria-current="page">Heroes</a>
<a href="/teams">Teams</a></nav></header><main><h1>Heroes</h1>
<form method="get" action="/heroes"><label>Search <input type="search" name="q"></label>
<button>Search</button></form><table><thead><tr><th scope="col">Select</th>
<th scope="col"><a href="/heroes?sort=-name">Name</a></th>
<th scope="col"><a href="/heroes?sort=secret_name">Secret name</a></th>
<th scope="col"><a href="/heroes?sort=age">Age</a></th>
<th scope="col"><a href="/heroes?sort=team_id">Team</a></th><td></td></tr></thead><tbody>
"""
TAIL = """</tbody></table><nav><a href="/heroes?after={after}" rel="next">Next page</a></nav>
</main></body></html>
"""


async def open_page() -> Page:
    fetch_rows = await open_rows()

    async def page(query: bytes) -> bytes:
        rows = await fetch_rows(query)
        parts = [HEAD, *map(_row, rows[:-1]), TAIL.format(after=rows[-1][0] if rows else "")]
        return "".join(parts).encode()

    return page


def _row(row: Row) -> str:
    key, name, secret_name, age, team_id, team_name = row
    name = escape(name)
    team = "" if team_id is None else f'<a href="/teams/{team_id}">{escape(team_name)}</a>'
    return f"""<tr id="hero-{key}"><td><label><input type="checkbox" name="id" value="{key}">
<span class="visually-hidden">Select {name}</span></label></td>
<th scope="row"><a href="/heroes/{key}">{name}</a></th><td>{escape(secret_name)}</td>
<td class="number">{"" if age is None else age}</td><td>{team}</td>
<td><a href="/heroes/{key}/edit" aria-label="Edit {name}">Edit</a>
<a href="/heroes/{key}/delete" aria-label="Delete {name}">Delete</a></td></tr>
"""


application = serve_page(open_page)
