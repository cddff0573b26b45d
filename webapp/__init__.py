"""Hero Admin: an admin web UI, rendered on the server, for SQLModel classes.

The rooms, from the door inwards:

    __main__, cli   the commands: serve, migrate, sample, doctor, revision
    user_commands   the commands about accounts
    connecting      the database as a command needs it
    server          the process: its socket, its workers, its log
    app             create_app(): wires settings, middleware, routes; knows every other room
    settings        what operators can set, from WEBAPP_* variables
    resources       what is administered, in menu order
    heroes, teams   one module a noun: model, schemas, rules, Resource
    accounts/       who people are, how they sign in, and for how long
    admin/          any resource: its fields, forms, list, changes and pages
    api/            the same resources as JSON
    transactions    the session and the one transaction of each request
    database        engines and sessions; pool, replica and sqlite are its parts
    unavailable     what the database cannot do now, told apart from mistakes
    migrations/     the schema, step by step
    doctor          the indexes that lists and searches need
    history         what was done, by whom, and how it was before
    protection      what holds for every request and answer; cross_site, hosts
    identity        who is asking, and what each role may do
    errors          Invalid; an exception becomes a page, a fragment or JSON
    templating      Jinja: render(), redirect(), flash()
    folding         texts without case and accents, for searching
    access_log      one line a request
    garbage         how often Python looks for some
    sample          believable heroes and teams
"""
