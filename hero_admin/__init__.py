"""Hero Admin: an admin web UI, rendered on the server, for SQLModel classes.

What an application imports stands here; everything else may change with any version.

The rooms, each of which imports only from those below it:

    testing     a pytest plugin for those who build on it; nothing else imports it
    cli         the commands: serve, migrate, doctor, revision, user …, and the server process
    admin       Admin, as an ASGI application to be mounted in others
    mounted     the application on an event loop, started by its first request
    application the application: wires settings, middleware and routes
    sample      what an application fills an empty database with
    migrations  migrations of the library's own tables; what runs and writes migrations
    api         the same resources as JSON
    accounts    who people are and how they sign in
    pages       one module a page: list, create, edit, delete, history, export …
    jobs        long work, in batches beside the requests: the queue, the worker, undo, exports
    history     what was done, as people read it: timeline, undo, revert; and the events
    forms       typed values, three-way merge, hidden fields
    writes      the only place that writes records: single, bulk, deletion, cascade
    listing     query, filters, keyset pages, counts, facets; search/ at any size
    model       resource, site, fields, inputs, schemas, primary keys, formatting
    audit_log   what was done, by whom, and how it was before; and events, such as exports
    web         what every request passes: errors, templates, the transaction, security
    rights      what a person may do with a resource and its fields
    person      who is asking, and their role
    database    engines, pool, replica, time limits, what a database cannot do now
    settings    the WEBAPP_* environment variables
"""

from hero_admin.admin import Admin
from hero_admin.cli.main import run_commands
from hero_admin.model import formats
from hero_admin.model.actions import Action
from hero_admin.model.arguments import ResourceError
from hero_admin.model.children import Child
from hero_admin.model.computed import Column, count
from hero_admin.model.controls import Color, Control, Markdown
from hero_admin.model.links import Link
from hero_admin.model.resource import Resource
from hero_admin.model.rules import Change
from hero_admin.model.schemas import Schema, partial
from hero_admin.person import Person, Role
from hero_admin.rights import Rights
from hero_admin.sample import Count, SampleData
from hero_admin.web.errors import Invalid
from hero_admin.web.menu import MenuLink
from hero_admin.writes.load import Loader
from hero_admin.writes.run import Download, Redirect, Run

__all__ = [
    "Action",
    "Admin",
    "Change",
    "Child",
    "Color",
    "Column",
    "Control",
    "Count",
    "Download",
    "Invalid",
    "Link",
    "Loader",
    "Markdown",
    "MenuLink",
    "Person",
    "Redirect",
    "Resource",
    "ResourceError",
    "Rights",
    "Role",
    "Run",
    "SampleData",
    "Schema",
    "count",
    "formats",
    "partial",
    "run_commands",
]
