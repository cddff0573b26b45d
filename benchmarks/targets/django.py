"""Django admin, signed in, as it has no other way."""

import os
import subprocess
from contextlib import suppress

import httpx

from benchmarks.facts import Facts
from benchmarks.forms import filled_form
from benchmarks.mixed import Ask, Sort
from benchmarks.processes import Command
from benchmarks.targets.starting import PEERS_HOME, url
from benchmarks.targets.target import PASSWORD, SECRET, USER, Paths, Place, Target

HOME = "/admin/heroes/hero/"
COLUMNS: dict[Sort, int] = {"name": 1, "age": 3, "team_id": 4}


def _command(place: Place, *arguments: str) -> Command:
    database = place.database
    if database.engine == "sqlite":
        where = {
            "BENCHMARK_ENGINE": "django.db.backends.sqlite3",
            "BENCHMARK_NAME": database.address,
        }
    else:
        url = httpx.URL(database.address)
        where = {
            "BENCHMARK_ENGINE": "django.db.backends.postgresql",
            "BENCHMARK_NAME": url.path.strip("/"),
            "BENCHMARK_USER": url.username,
            "BENCHMARK_HOST": url.host,
            "BENCHMARK_PORT": str(url.port),
        }
    environment = {
        "BENCHMARK_SECRET": SECRET,
        "BENCHMARK_STATIC": str(place.folder / "static"),
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        **where,
    }
    return Command(arguments, PEERS_HOME / "django", environment)


def _serve(place: Place) -> Command:
    gunicorn = str(place.program_folder / "gunicorn")
    address = f"--bind=127.0.0.1:{place.port}"
    return _command(place, gunicorn, "wsgi", address, "--no-control-socket")


def _prepare(place: Place) -> None:
    _manage(place, "migrate")
    _manage(place, "collectstatic")
    # An earlier run may have made the account.
    with suppress(subprocess.CalledProcessError):
        _manage(place, "createsuperuser", f"--username={USER}", f"--email={USER}@example.com")


def _manage(place: Place, *arguments: str) -> None:
    command = _command(place, str(place.python), "manage.py", *arguments, "--no-input")
    subprocess.run(
        command.arguments,
        check=True,
        cwd=command.directory,
        env=os.environ | command.environment,
        capture_output=True,
    )


def _sign_in(client: httpx.Client, _: Place) -> None:
    form = filled_form(
        client.get("/admin/login/").text,
        {"username": USER, "password": PASSWORD},
    )
    answer = client.post("/admin/login/?next=/admin/", data=dict(form.pairs))
    if answer.status_code != httpx.codes.FOUND:
        raise RuntimeError(f"signing in was answered with {answer.status_code}")


def _paths(_: httpx.Client, facts: Facts) -> Paths:
    return {
        "list": HOME,
        "list-compressed": HOME,
        "list-changed": HOME,
        "sort-name": url(HOME, o=1),
        "sort-team": url(HOME, o=4),
        "search-common": url(HOME, q=facts.common),
        "search-rare": url(HOME, q=facts.rare),
        "search-absent": url(HOME, q=facts.absent),
        "page-1000": url(HOME, p=facts.deep_page),
        "page-last": url(HOME, p=facts.pages),
    }


def _mixed(ask: Ask) -> str:
    sign = "-" if ask.is_descending else ""
    params: dict[str, str | int] = {"o": f"{sign}{COLUMNS[ask.sort]}"}
    if ask.page > 1:
        params["p"] = ask.page
    if ask.text:
        params["q"] = ask.text
    if ask.team_id:
        params["team__id__exact"] = ask.team_id
    if ask.ages:
        params |= {"age__gte": ask.ages[0], "age__lte": ask.ages[1]}
    return url(HOME, **params)


DJANGO = Target(
    name="django",
    title="Django admin",
    kind="peer",
    home=HOME,
    requirements=PEERS_HOME / "django" / "requirements.txt",
    command=_serve,
    paths=_paths,
    mixed=_mixed,
    edit_path="/admin/heroes/hero/{id}/change/",
    new_path="/admin/heroes/hero/add/",
    prepare=_prepare,
    sign_in=_sign_in,
)
