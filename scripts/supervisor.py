"""The long-lived processes: started in order, watched, and stopped in order, whatever ends them."""

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from scripts.children import Child, StopFlag, start_child, stop_child, tail
from scripts.place import Place
from scripts.say import Refusal

PATIENCE_S = {"server": 15.0}  # the server lets requests end first; others: OTHER_PATIENCE_S
OTHER_PATIENCE_S = 10.0
STOP_ORDER = ("server", "delivery", "jobs", "push")


class Supervisor:
    """Owns every child it starts; `stop` leaves none of them, nor of theirs, behind."""

    def __init__(self, *, place: Place, flag: StopFlag) -> None:
        self._place, self._flag = place, flag
        self._children: list[Child] = []

    def start(self, *, name: str, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start one process that is meant to stay; its output goes to RAYON_HOME/log/<name>.log."""
        log = self._place.logs / f"{name}.log"
        self._children.append(start_child(name=name, command=command, log=log, env=env, cwd=self._place.root))

    def raise_if_ended(self) -> None:
        """Raise Refusal naming the first child that has died, Stopped if we were asked to stop."""
        self._flag.raise_if_set()
        for child in self._children:
            if not child.is_alive:
                code = child.process.returncode
                how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise Refusal(
                    f"The {child.name} process {how}; everything else is being stopped.\n{tail(path=child.log)}"
                )

    def wait_until(self, condition: Callable[[], bool], *, what: str, timeout_s: float) -> None:
        """Wait for `condition`, watching the children. Raises Refusal after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.raise_if_ended()
            if time.monotonic() > deadline:
                raise Refusal(
                    f"{what} did not happen within {timeout_s:.0f} s. The logs are in {self._place.logs}."
                )
            time.sleep(0.1)

    def watch(self) -> None:
        """Stay until a child dies (Refusal) or we are asked to stop (Stopped)."""
        while True:
            self.raise_if_ended()
            time.sleep(0.2)

    def stop(self) -> None:
        """End all children: the server first, so that nothing new comes in; the push provider last."""
        for child in sorted(self._children, key=lambda child: STOP_ORDER.index(child.name)):
            stop_child(child=child, flag=self._flag, patience_s=PATIENCE_S.get(child.name, OTHER_PATIENCE_S))
        self._children.clear()


def answers(*, url: str) -> bool:
    """Return whether `url` answers with a 2xx within a second."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError, urllib.error.HTTPError), direct.open(url, timeout=1) as answer:
        return bool(200 <= answer.status < 300)
    return False
