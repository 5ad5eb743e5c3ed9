"""Calls on the workers of a run, from the connection to the last result."""

from collections.abc import Mapping, Sequence
from typing import Any

from glassdata.engine.clusters import connect
from glassdata.engine.crew import Crew, Loss, RowName, RunEnded, Work
from glassdata.engine.execution import Execution
from glassdata.engine.limits import FailedRows, limited
from glassdata.engine.source import Source
from glassdata.engine.streaming import stream
from glassdata.engine.watching import collect, dashboard, reported
from glassdata.estimate import peak_memory
from glassdata.fitness import Standard, remove_token, write_token
from glassdata.worker import Receipt, Task, publish


def run_rows(
    work: Work,
    task: Task,
    todo: Sequence[RowName],
    source: Source,
    execution: Execution,
    limit: FailedRows | None = None,
) -> tuple[list[Receipt], list[Loss]]:
    """Call ``work`` for rows of a store, on workers that are what the build needs.

    Parameters
    ----------
    work
        ``glassdata.worker.publish`` or ``glassdata.worker.compare``.
    task
        What all workers must know.
    todo
        Name and number of each row.
    source
        Where rows come from.
    execution
        Where and how to compute.
    limit
        Counts the failed rows, and ends the run when they are too many.

    Returns
    -------
    receipts, problems
        As for ``compute``.
    """
    needs = {name: peak_memory(source.systems[name], task.profile) for name in {n for n, _ in todo}}
    wanted = source.standard(task.store if work is publish else None)
    write_token(wanted)
    try:
        return compute(work, task, todo, execution, needs, wanted=wanted, limit=limit)
    finally:
        remove_token(wanted)


def compute(
    work: Work,
    task: Any,
    todo: Sequence[RowName],
    execution: Execution,
    needs: Mapping[str, float] | None = None,
    *,
    wanted: Standard | None = None,
    limit: FailedRows | None = None,
) -> tuple[list[Receipt], list[Loss]]:
    """Call ``work(task, name, number)`` on the workers for all of ``todo``, and show a bar.

    Parameters
    ----------
    work
        The function. Workers must be able to import it, and it leaves its results on the disk.
    task
        First argument of every call.
    todo
        Name and number of each call.
    execution
        Where and how to compute.
    needs
        Memory that a call takes, bytes, by name.
    wanted
        What a worker must be; by default anything is good enough.
    limit
        Counts the failed rows, and ends the run when they are too many.

    Returns
    -------
    receipts, problems
        What the calls returned, and what went wrong.

    Raises
    ------
    ValueError
        If the workers lack the memory for a call; none was sent then.
    RunEnded
        If no worker is left that may compute, or too many rows fail.
    """
    with connect(execution, len(todo), needs or {}) as connection:
        if execution.watched and (address := dashboard(connection.client)):
            execution.say(f"dashboard: {address}")
        crew = Crew(connection.client, wanted or Standard(), execution, connection.expected)
        problems: list[Loss] = []
        try:
            crew.ask()
            with reported(execution.report):
                results = stream(
                    connection.client,
                    work,
                    task,
                    todo,
                    connection.expected,
                    connection.judge,
                    crew,
                )
                results = limited(results, limit, problems)
                return collect(results, len(todo), execution.watched)
        except RunEnded as end:
            end.problems = problems
            raise
