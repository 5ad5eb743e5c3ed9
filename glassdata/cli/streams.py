"""Standard output and error that may be closed, or whose reader may leave, without losing rows.

A command goes on if its output goes to a pipe whose reader has left, to a full disk, or nowhere:
the rows matter more than the messages about them.
"""

import errno
import io
import os
import select
import sys
from typing import TextIO

#: Exit status of a command whose reader left, as shells give it to one that SIGPIPE ended.
READER_LEFT = 141
_OUTPUT, _ERROR = 1, 2


class _Patient(io.RawIOBase):
    """A file descriptor that drops what cannot be written, and remembers the error."""

    def __init__(self, descriptor: int, *, was_open: bool) -> None:
        self.descriptor, self.was_open = descriptor, was_open
        self.failure: OSError | None = None

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def write(self, data) -> int:
        while self.failure is None:
            try:
                return os.write(self.descriptor, data)
            except BlockingIOError:  # the reader is slow, and the pipe was set not to wait
                select.select([], [self.descriptor], [])
            except OSError as error:
                self.failure = error
        return len(data)


def keep_streams() -> None:
    """Make sure that standard input, output and error are open, in child processes too.

    If one is closed, the system gives its number to the next file that is opened. Warnings of a
    library could then be written into the file of a row.
    """
    was_open = [_make_open(descriptor) for descriptor in range(3)]
    sys.stdin = sys.stdin or io.TextIOWrapper(io.FileIO(0, closefd=False))
    sys.stdout = _stream(sys.stdout, _OUTPUT, was_open=was_open[_OUTPUT])
    sys.stderr = _stream(sys.stderr, _ERROR, was_open=was_open[_ERROR])


def _make_open(descriptor: int) -> bool:
    """Open the null device in the place of a closed descriptor; False if it was closed."""
    try:
        os.fstat(descriptor)
    except OSError:
        null = os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, usually this one
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
        os.set_inheritable(descriptor, True)
        return False
    return True


def _stream(before: TextIO | None, descriptor: int, *, was_open: bool) -> io.TextIOWrapper:
    """The same stream on a ``_Patient`` file; lines of standard error are written at once."""
    if before is not None:
        before.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(descriptor, was_open=was_open)),
        encoding=getattr(before, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=descriptor == _ERROR or os.isatty(descriptor),
        write_through=descriptor == _ERROR,
    )


def _output() -> _Patient | None:
    """What standard output goes to; None where ``keep_streams`` was not called."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Patient) else None


def output_is_closed() -> bool:
    """Whether the command was started with a closed standard output."""
    output = _output()
    return output is not None and not output.was_open


def end_streams(status: int) -> int:
    """Write the rest of the output; the exit status of a command that would end with ``status``.

    That is ``READER_LEFT`` if nothing else went wrong, but the reader of the output left before the
    end; and 1 if the output could not be written for another reason, which goes to standard error.
    """
    sys.stdout.flush()
    output = _output()
    if output is None or output.failure is None or status:
        return status
    if output.failure.errno == errno.EPIPE:
        return READER_LEFT
    print(f"glassdata: error: standard output: {output.failure.strerror}", file=sys.stderr)  # noqa: T201
    return 1
