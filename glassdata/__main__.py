"""``glassdata`` and ``python -m glassdata``: Ctrl-C is quiet also while the program is loaded."""

import logging
import signal
import sys


def main() -> None:
    """Entry point: load the command line, run a command and exit."""
    try:
        from glassdata.cli import main as run
    except KeyboardInterrupt:
        print("glassdata: error: interrupted", file=sys.stderr)  # noqa: T201  nothing else is there
        sys.exit(130)
    try:
        run()
    finally:
        # All output is written, and the program ends at once: Ctrl-C would only cause a traceback,
        # and asyncio would tell of what an earlier one left half done.
        logging.getLogger("asyncio").disabled = True
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
