"""Work on rows shared out over processes of their own, each with its connection; for jobs that keep a processor busy.

This module is what such a process imports first, before Django is ready: it names no model.
"""

import multiprocessing
import pickle
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import TypeVar

import django
from django.db import connection

Part = TypeVar("Part")


class ProcessFailed(Exception):
    """One of the processes ended before its work did."""


def summed_by_processes(work: Callable[[Part], int], parts: Sequence[Part], *, processes: int) -> int:
    """Return the sum of what `work` returns for each part. `work` and the parts are sent to the processes once.

    The processes use this one's database; this one only waits, so that a thread beside it is not kept from its own work.
    Raises ProcessFailed as soon as one of them ends before its work does; the others are ended then.
    """
    context = multiprocessing.get_context("spawn")
    running = []
    try:
        for number in range(processes):
            ours, theirs = context.Pipe(duplex=False)
            sent = pickle.dumps((work, list(parts[number::processes])))
            name = str(connection.settings_dict["NAME"])
            process = context.Process(target=_work, args=(name, sent, theirs), daemon=True)
            process.start()
            theirs.close()
            running.append((process, ours))
        return _sum_of([ours for _, ours in running])
    finally:
        for process, ours in running:
            ours.close()
            process.terminate()
            process.join()


def _sum_of(pipes: "Sequence[Connection[int, int]]") -> int:
    """Return the sum of what comes out of the pipes, in whatever order they have something to say."""
    waiting, told = list(pipes), 0
    while waiting:
        ready = wait(waiting)
        for pipe in [one for one in waiting if one in ready]:
            try:
                told += pipe.recv()
            except EOFError:
                raise ProcessFailed(
                    f"one of {len(pipes)} processes ended before its work did; its own words are in the log"
                ) from None
            waiting.remove(pipe)
    return told


def _work(database: str, sent: bytes, theirs: "Connection[int, int]") -> None:
    django.setup()
    connection.settings_dict["NAME"] = database
    work, parts = pickle.loads(sent)  # noqa: S301 (our own parent made it)
    theirs.send(sum(map(work, parts)))
    connection.close()
