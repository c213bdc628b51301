"""Work on rows shared out over processes of their own, each with its connection; for jobs that keep a processor busy.

This module is what such a process imports first, before Django is ready: it names no model.
"""

import multiprocessing
import pickle
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import TypeVar

import django
from django.db import connection

Part = TypeVar("Part")


def summed_by_processes(work: Callable[[Part], int], parts: Sequence[Part], *, processes: int) -> int:
    """Return the sum of what `work` returns for each part. `work` and the parts are sent to the processes once.

    The processes use this one's database. Raises RuntimeError if one of them ends before its work does; the others are
    ended then.
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
        return sum(_received(ours) for _, ours in running)
    finally:
        for process, ours in running:
            ours.close()
            process.terminate()
            process.join()


def _received(ours: "Connection[int, int]") -> int:
    try:
        return ours.recv()
    except EOFError:
        raise RuntimeError("a process ended before its work did; its own words are in the log") from None


def _work(database: str, sent: bytes, theirs: "Connection[int, int]") -> None:
    django.setup()
    connection.settings_dict["NAME"] = database
    work, parts = pickle.loads(sent)  # noqa: S301 (our own parent made it)
    theirs.send(sum(map(work, parts)))
    connection.close()
