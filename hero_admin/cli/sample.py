"""The command that fills an empty database with sample data."""

import asyncio
import sys
from collections.abc import Sequence

import click

from hero_admin.admin import Admin
from hero_admin.cli.database import ready
from hero_admin.sample import SampleData
from hero_admin.settings import Settings
from hero_admin.web.texts import listed


def sample_command(sample: SampleData) -> click.Command:
    """Return the command that adds sample data, with an option for each of its numbers."""
    options = [
        click.Option(
            [f"--{each.resource.name}"],
            type=click.IntRange(0, each.maximum),
            default=each.default,
            help=f"Number of {each.resource.label_plural}.",
        )
        for each in sample.counts
    ]
    labels = listed([each.resource.label_plural for each in sample.counts])

    def add(**numbers: int) -> None:
        admin: Admin = click.get_current_context().obj
        asyncio.run(_sample(admin, sample, admin.settings(), [*numbers.values()]))

    return click.Command(
        "sample",
        params=[*options],
        callback=add,
        help=f"Fill an empty database with believable {labels}.",
    )


async def _sample(
    admin: Admin, sample: SampleData, settings: Settings, numbers: Sequence[int]
) -> None:
    longest = max(range(len(numbers)), key=numbers.__getitem__)
    shown = sample.counts[longest].resource
    async with ready(admin, settings) as database:
        is_added = await sample.is_wanted(database)
        if is_added:
            is_hidden = not sys.stderr.isatty()
            with click.progressbar(
                length=numbers[longest],
                label=f"Adding {shown.label_plural}",
                file=sys.stderr,
                hidden=is_hidden,
            ) as bar:
                is_added = await sample.add(
                    database,
                    numbers,
                    lambda resource, count: bar.update(count) if resource is shown else None,
                    has_history=admin.chain.has_history,
                )
    labels = [each.resource.label_plural for each in sample.counts]
    counts = zip(sample.counts, numbers, strict=True)
    added = listed([each.resource.counted(number) for each, number in counts])
    click.echo(
        f"Added {added}."
        if is_added
        else f"Nothing added: there are already {' or '.join(labels)}, and sample data is only for"
        " an empty database."
    )
