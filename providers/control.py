"""The control door of a local provider: what its tests script, and what came over its wire."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .http import Request, Response, json_response
from .phones import BadScript, Scripts, WireLog

Parse = Callable[[Any], list[Any]]


@dataclass(frozen=True, slots=True)
class Control:
    """`POST /_control/script {"token", "answers"}`, `DELETE` of it; `GET /_control/log?since=N`, `DELETE` of it."""

    scripts: Scripts
    log: WireLog
    parse: Parse  # of a script's answers; raises BadScript
    more: dict[str, Scripts] = field(default_factory=dict)  # by the name that stands in for a token

    def answer(self, request: Request) -> Response:
        """Return the answer to any call below /_control/; 404 for one that is none."""
        actions: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("POST", "/_control/script"): self._put,
            ("DELETE", "/_control/script"): self._clear,
            ("GET", "/_control/log"): self._read,
            ("DELETE", "/_control/log"): self._forget,
        }
        action = actions.get((request.method, request.path))
        if action is None:
            return json_response({"error": "no such control"}, status=404)
        try:
            return json_response(action(request))
        except (BadScript, ValueError, TypeError) as error:
            return json_response({"error": str(error)}, status=400)

    def _put(self, request: Request) -> dict[str, Any]:
        raw = request.json()
        if not isinstance(raw, dict) or not isinstance(raw.get("token"), str):
            raise BadScript("a script is an object with token and answers")
        answers = self.parse(raw.get("answers"))
        self.more.get(raw["token"], self.scripts).put(raw["token"], answers)
        return {"answers": len(answers)}

    def _clear(self, request: Request) -> dict[str, Any]:
        for scripts in (self.scripts, *self.more.values()):
            scripts.clear()
        return {}

    def _read(self, request: Request) -> list[dict[str, Any]]:
        return self.log.since(int(request.query.get("since", "0")))

    def _forget(self, request: Request) -> dict[str, Any]:
        self.log.clear()
        return {}
