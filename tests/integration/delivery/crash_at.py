"""Workers that die at a named step: a process that makes them one after the other, as it is told on its standard input.

`before record` makes a worker, `manage.py deliver`, that is killed by SIGKILL the first time it is about to record
something; `after send` one that is killed when something has been sent. Each line is answered with the worker's exit
status. The steps are found by their names in the code: one that is renamed fails the test.
"""

import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from typing import Any

STEPS = {
    "claim": ("offers.locks", "claim_due_messages"),
    "look": ("offers.delivery", "look_again"),
    "move": ("offers.delivery", "release_messages"),
    "drop": ("offers.delivery", "drop_messages"),
    "send": ("offers.stages.deliver.lanes", "Lanes.on_lane"),
    "judge": ("offers.delivery", "judge"),
    "retire": ("offers.delivery", "retire_addresses"),
    "record": ("offers.delivery", "record_answers"),
}
WITHIN_S = 40  # a worker that does not come to its step is killed by the alarm instead


def main() -> None:
    import django

    django.setup()
    import offers.management.commands.deliver  # noqa: F401 - so that each worker is a fork away

    for line in sys.stdin:
        when, step = line.split()
        worker = os.fork()
        if worker == 0:
            die(when=when, step=step)
        _, status = os.waitpid(worker, 0)
        print(-os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), flush=True)


def die(*, when: str, step: str) -> None:
    """Work until the step, and not beyond it."""
    signal.alarm(WITHIN_S)
    place, name = STEPS[step]
    home: Any = import_module(place)
    *path, name = name.split(".")
    for part in path:
        home = getattr(home, part)
    setattr(home, name, _deadly(getattr(home, name), when=when))
    from django.core.management import call_command

    call_command("deliver")
    os._exit(0)


def _deadly(step: Callable[..., Any], *, when: str) -> Callable[..., Any]:
    def kill(*given: Any) -> None:
        if not given or given[0]:  # a step with nothing to do is not what dies
            os.kill(os.getpid(), signal.SIGKILL)

    if iscoroutinefunction(step):

        @wraps(step)
        async def async_step(*given: Any, **more: Any) -> Any:
            if when == "before":
                kill()
            result = await step(*given, **more)
            kill()
            return result

        return async_step

    @wraps(step)
    def deadly_step(*given: Any, **more: Any) -> Any:
        if when == "before":
            kill(*given)
        result = step(*given, **more)
        kill(*(given or (result,)))
        return result

    return deadly_step


if __name__ == "__main__":
    main()
