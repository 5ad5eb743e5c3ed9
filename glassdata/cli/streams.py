"""Standard output and error that may be closed, or whose reader may leave: no row is lost by it.

Who writes to a pipe whose reader has left, to a full disk or to nothing at all must go on working:
the rows are what was asked for, and what is said about them is not worth losing them.
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
    """A file descriptor that swallows what cannot be written, and remembers why."""

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
            except BlockingIOError:  # the reader is slow, and somebody made the pipe not wait
                select.select([], [self.descriptor], [])
            except OSError as error:
                self.failure = error
        return len(data)


def keep_streams() -> None:
    """Make sure that standard input, output and error are open and stay so, for children too.

    Where one is closed, the system gives its number to the next file that is opened, and warnings
    of some library would be written into a row.
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
        null = os.open(os.devnull, os.O_RDWR)  # the least number that is free: this one
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
        os.set_inheritable(descriptor, True)
        return False
    return True


def _stream(before: TextIO | None, descriptor: int, *, was_open: bool) -> io.TextIOWrapper:
    """The same stream, with the patience above; lines of an error are written at once."""
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
    """Whether whoever started the command closed its standard output."""
    output = _output()
    return output is not None and not output.was_open


def end_streams(status: int) -> int:
    """Exit status of a command that would end with ``status``, after all it said was written.

    ``READER_LEFT`` if nothing else went wrong, but whoever read its output left before the end; 1
    if the output could not be written for another reason, which standard error then says.
    """
    sys.stdout.flush()
    output = _output()
    if output is None or output.failure is None or status:
        return status
    if output.failure.errno == errno.EPIPE:
        return READER_LEFT
    print(f"glassdata: error: standard output: {output.failure.strerror}", file=sys.stderr)  # noqa: T201
    return 1
