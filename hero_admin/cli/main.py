"""The commands of any Admin: `--help` lists them."""

import sys
from typing import NoReturn

import click

from hero_admin.admin import Admin
from hero_admin.cli.database import DatabaseError
from hero_admin.cli.listener import ListenError
from hero_admin.cli.loading import LoadError, load_admin
from hero_admin.cli.sample import sample_command
from hero_admin.cli.schema import doctor, migrate_command, revision
from hero_admin.cli.serve import serve
from hero_admin.cli.users import user_commands
from hero_admin.cli.worker import worker
from hero_admin.migrations import SchemaError
from hero_admin.model.arguments import ResourceError
from hero_admin.settings import SettingsError

FAILED = 2
# What a shell reports for a command ended by Ctrl+C.
INTERRUPTED = 130


def run_commands(name: str = "") -> NoReturn:
    """Run the command that the arguments of this process name, and exit.

    name: the Admin that it is about, as `package.module:name`; `--app` names another one.
    The exit code is 0 for success, and 2 with one sentence if the command cannot work.
    """
    try:
        sys.exit(commands(standalone_mode=False, obj=name))
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        _fail(error.format_message())
    except (
        SettingsError,
        LoadError,
        ResourceError,
        SchemaError,
        ListenError,
        DatabaseError,
    ) as error:
        _fail(str(error))


class Commands(click.Group):
    """The commands; `sample` is among them where the application has sample data."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        # Help is there before an application is named.
        has_sample = ctx.obj and _admin(ctx).sample
        return [*super().list_commands(ctx), *(["sample"] if has_sample else [])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        sample = _admin(ctx).sample if ctx.obj else None
        if cmd_name == "sample" and sample is not None:
            return sample_command(sample)
        return super().get_command(ctx, cmd_name)


def _choose(context: click.Context, _: click.Parameter, name: str | None) -> None:
    context.obj = name or context.obj
    context.obj = _admin(context)


def _admin(context: click.Context) -> Admin:
    """Return what commands are about; until it is chosen, there is only its name."""
    if not isinstance(context.obj, str):
        admin: Admin = context.obj
        return admin
    if not context.obj:
        raise LoadError("Which application? Name its Admin: --app package.module:name.")
    return load_admin(context.obj)


@click.group(
    cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True}
)
@click.option(
    "--app",
    metavar="MODULE:NAME",
    is_eager=True,
    expose_value=False,
    callback=_choose,
    help="The Admin that a command is about.",
)
def commands() -> None:
    """Hero Admin: manage data in the browser.

    Settings come from WEBAPP_* environment variables, WEBAPP_DATABASE_URL first of all.
    """


for command in (serve, worker, migrate_command, revision, doctor, user_commands):
    commands.add_command(command)


def _fail(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    sys.exit(FAILED)
