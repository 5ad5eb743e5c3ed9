"""Options that say where and how rows are computed."""

import math
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path

import click


class Workers(click.ParamType):
    """``N``, or ``MIN:MAX``."""

    name = "N or MIN:MAX"

    def convert(self, value, param, ctx):
        least, _, most = str(value).partition(":")
        if most.isdecimal() and least.isdecimal() and 1 <= int(most) >= int(least):
            return int(least), int(most)
        if least.isdecimal() and int(least) > 0 and not most:
            return int(least)
        self.fail(f"{value!r} is neither a number above 0 nor MIN:MAX", param, ctx)


class Shard(click.ParamType):
    """``I/N``, of which I counts from 1."""

    name = "I/N"

    def convert(self, value, param, ctx):
        number, _, count = str(value).partition("/")
        if number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
            return int(number), int(count)
        self.fail(f"{value!r} is not I/N with 1 <= I <= N", param, ctx)


class Allowance(click.ParamType):
    """``N`` rows, or ``P%`` of them."""

    name = "N or P%"

    def convert(self, value, param, ctx):
        text = str(value)
        with suppress(ValueError):
            if text.isdecimal():
                return int(text)
            if text.endswith("%") and 0 <= float(text[:-1]) < 100:
                return float(text[:-1]) / 100
        self.fail(f"{value!r} is neither a number of rows nor a share like 5%", param, ctx)


accept_changed_code = click.option(
    "--accept-changed-code",
    is_flag=True,
    help="Go on though rows were made by other code of the same version.",
)

_OPTIONS = (
    click.option(
        "--cluster",
        default="local",
        show_default=True,
        metavar="local|slurm|ADDRESS",
        help="This machine, SLURM jobs, or a Dask scheduler whose workers see the same folder.",
    ),
    click.option(
        "--workers",
        type=Workers(),
        metavar="N|MIN:MAX",
        help="Processes. Default: all cores. SLURM gives whole jobs; MIN:MAX asks it for MAX.",
    ),
    click.option("--memory-limit", metavar="SIZE", help="Memory of one worker, like 4GB."),
    click.option(
        "--worker-timeout",
        type=click.FloatRange(min=5),
        default=300,
        show_default=True,
        metavar="SECONDS",
        help="Give up a worker that is silent for longer: its row is computed elsewhere.",
    ),
    click.option(
        "--wait",
        type=click.FloatRange(min=0),
        metavar="SECONDS",
        help="End when no worker was there, or the scheduler did not answer, for so long; 0 waits "
        "for ever. Default: 600, with SLURM a week.",
    ),
    click.option(
        "--unfit-workers",
        type=click.Choice(("leave-out", "stop")),
        default="leave-out",
        show_default=True,
        help="What becomes of workers with other versions, wrong numbers or another disk.",
    ),
    click.option(
        "--progress/--no-progress",
        default=None,
        help="Bar, dashboard and summary of the time spent. Default: in a terminal only.",
    ),
    click.option(
        "--report",
        type=click.Path(path_type=Path),
        metavar="FILE.html",
        help="Write Dask's performance report; needs bokeh.",
    ),
)

#: Options that are fields of ``Execution``.
_AS_THEY_ARE = (
    "cluster",
    "workers",
    "memory_limit",
    "worker_timeout",
    "unfit_workers",
    "progress",
    "report",
)

_ROW_TIMEOUT = click.option(
    "--row-timeout",
    type=click.FloatRange(min=0),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Give up a row that takes longer; 0 waits for ever.",
)


def execution_options(command: Callable, *, rows: bool = True) -> Callable:
    """Add the options to a command, which gets them as one dictionary, ``execution``.

    ``rows`` says whether it computes rows of a store, which may take too long.
    """

    @wraps(command)
    def wrapped(*args, wait, row_timeout=0, **others):
        execution = {name: others.pop(name) for name in _AS_THEY_ARE} | {
            "row_timeout": row_timeout or None,
            "wait": math.inf if wait == 0 else wait,
            "say": _say,
        }
        return command(*args, execution=execution, **others)

    for option in reversed((*_OPTIONS, _ROW_TIMEOUT) if rows else _OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _say(text: str) -> None:
    with suppress(OSError, ValueError):  # a closed standard error must not stop the build
        click.echo(text, err=True)
