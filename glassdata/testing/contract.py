"""Laws and what violates them: a check tries all of its laws before it complains."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

import numpy as np
from numpy.typing import ArrayLike


class ContractError(AssertionError):
    """A potential, glass or model violates laws that it must obey.

    Attributes
    ----------
    subject : str
        What was checked.
    violations : tuple of (str, str)
        Name of each violated law, and one sentence on it.

    Examples
    --------
    >>> error = ContractError("the potential", [("forces", "a force is 2, expected 1")])
    >>> error.laws
    {'forces'}
    >>> print(error)
    the potential violates 1 of its laws
      forces: a force is 2, expected 1
    """

    def __init__(self, subject: str, violations: Iterable[tuple[str, str]]) -> None:
        self.subject, self.violations = subject, tuple(violations)
        lines = [f"  {law}: {sentence}" for law, sentence in self.violations]
        super().__init__("\n".join([f"{subject} violates {len(lines)} of its laws", *lines]))

    @property
    def laws(self) -> set[str]:
        """Names of the violated laws."""
        return {law for law, _ in self.violations}


def enforce(subject: str, laws: Mapping[str, Callable[[], Iterable[str]]]) -> None:
    """Try every law; each yields one sentence for each violation.

    Raises
    ------
    ContractError
        Naming all violations. A law that cannot be tried because something raised counts as
        violated; the first such error is the cause.
    """
    violations: list[tuple[str, str]] = []
    cause = None
    for name, law in laws.items():
        try:
            violations += [(name, sentence) for sentence in law()]
        except Exception as error:
            cause = cause or error
            message = " ".join(str(error).split())[:300]
            violations.append((name, f"raised {type(error).__name__}: {message}"))
    if violations:
        raise ContractError(subject, violations) from cause


def _numpy_state() -> tuple[np.ndarray, int]:
    """Keys and position of NumPy's global random numbers."""
    state = cast(dict, np.random.get_state(legacy=False))["state"]
    return state["key"], state["pos"]


@contextmanager
def shared_randomness(seed: int) -> Iterator[Callable[[], bool]]:
    """Put Python's and NumPy's global random numbers into a known state, and restore them later.

    Yields a function that tells whether any of them were drawn.
    """
    kept = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    before = random.getstate(), _numpy_state()

    def drawn() -> bool:
        keys, position = _numpy_state()
        same = position == before[1][1] and np.array_equal(keys, before[1][0])
        return not same or random.getstate() != before[0]

    try:
        yield drawn
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


def differences(
    what: str,
    found: ArrayLike,
    expected: ArrayLike,
    *,
    tolerance: float,
    unit: str = "",
    look: str = "",
) -> Iterable[str]:
    """One sentence if two arrays differ anywhere by more than ``tolerance``, in their unit.

    Parameters
    ----------
    what
        Name of the quantity, which begins the sentence.
    found, expected
        The two arrays, of the same shape and unit.
    tolerance
        Largest difference allowed, in that unit.
    unit
        Name of the unit, for the sentence.
    look
        Where the mistake probably is.
    """
    is_found, should_be = np.asarray(found, float), np.asarray(expected, float)
    if is_found.shape != should_be.shape:
        yield f"{what} has shape {is_found.shape}, expected {should_be.shape}{_hint(look)}"
        return
    off = np.abs(is_found - should_be)
    # Not "off > tolerance": a number that is not finite must be found as well.
    if off.size and not (off <= tolerance).all():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(off), np.inf, off)), off.shape)
        where = f" at {tuple(map(int, worst))}" if worst else ""
        is_, should = is_found[worst], should_be[worst]
        ratio = f", {is_ / should:.4g} times" if should and np.isfinite(is_) else ""
        yield (
            f"{what} is {is_:.6g}{where}, expected {should:.6g} {unit}".rstrip()
            + f"{ratio} (tolerance {tolerance:.2g}){_hint(look)}"
        )


def _hint(look: str) -> str:
    return f"; look at {look}" if look else ""
