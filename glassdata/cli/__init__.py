"""The ``glassdata`` command.

Commands import what they need when they run, so that ``--help`` answers at once. Whatever is
wrong with the input ends in one line on stderr, and an exit status: 2 for a usage error, 1 for a
check that failed or work that was not finished, 130 after Ctrl-C. A command whose output is closed,
or whose reader leaves, still does all of its work; status 141 says that the reader left too early.

>>> sorted(commands.commands)[:4]
['build', 'curvature', 'experiment', 'fit']
"""

import signal
import sys
import traceback
import warnings
from collections.abc import Sequence

import click

from glassdata.cli.building import build
from glassdata.cli.data import info, repair, systems, verify
from glassdata.cli.experiment import experiment
from glassdata.cli.fitting import fit
from glassdata.cli.judging import curvature
from glassdata.cli.observing import observe
from glassdata.cli.own import spectrum
from glassdata.cli.predicting import predict
from glassdata.cli.streams import end_streams, keep_streams

_EXAMPLES = """\b
Examples:
  glassdata systems
  glassdata build demo.store --profile demo
  glassdata spectrum glass.xyz --system sic --plot glass.png
"""

_INTERRUPTED = "interrupted; the same command resumes"

#: Errors of the file system that mean "this path cannot be used", not "something broke".
_BAD_PATH = (
    FileNotFoundError,
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


class _Commands(click.Group):
    """Group of commands in which an unexpected end of a file is not taken for Ctrl-C."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except EOFError as error:
            # click would report it as an interruption by the user.
            text = str(error) or "of a file or a connection"
            raise RuntimeError(f"unexpected end: {text} (glassdata --debug shows where)") from error


@click.group(
    cls=_Commands,
    help=f"Glass structures, their g(r) and their vibrational spectra.\n\n{_EXAMPLES}",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--debug", is_flag=True, help="Show where an error came from.")
@click.version_option(package_name="glassdata")
def commands(debug: bool) -> None:
    """Group of all commands."""


for _command in (
    systems, build, info, verify, repair, spectrum, observe, fit, predict, curvature, experiment,
):  # fmt: skip
    commands.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run a command and exit."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Batch systems end a job with SIGTERM, which is treated like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keep_streams()
    sys.exit(end_streams(run(arguments)))


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns its exit status."""
    if not arguments:
        arguments = ["--help"]
    try:
        result = commands.main(list(arguments), prog_name="glassdata", standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted()
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # while compiled code ran
            return _interrupted()
        if "--debug" in arguments:
            traceback.print_exc()
        return _complain(*explain(error))
    return result if isinstance(result, int) else 0


def _interrupted() -> int:
    # Work that was about to begin is given up with all else, of which Python would warn.
    warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
    return _complain(_INTERRUPTED, 130)


def explain(error: Exception) -> tuple[str, int]:
    """One line about an error, and the exit status for it."""
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code

    from glassdata.store.errors import DamageError, StoreError

    if isinstance(error, DamageError):
        return str(error), 1
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        text = f"{error.strerror}{where}" if error.strerror else str(error)
        return text, 2 if isinstance(error, _BAD_PATH) else 1
    if isinstance(error, StoreError | ValueError):
        return str(error), 2
    if type(error).__module__.partition(".")[0] == "botocore":
        return f"object store: {error}", 1
    if isinstance(error, ArithmeticError | RuntimeError | ImportError | MemoryError):
        return str(error) or type(error).__name__, 1
    return f"unexpected {type(error).__name__}: {error} (glassdata --debug shows where)", 1


def _complain(text: str, status: int) -> int:
    first, *more = text.splitlines() or ["failed"]
    click.echo("\n".join([f"glassdata: error: {first}", *more]), err=True)
    return status
