"""The door behind which a local provider is scripted and its wire log is read: `/_control/…`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .http import Request, Response, json_response
from .phones import BadScript, Scripts, WireLog

PREFIX = "/_control/"

T = TypeVar("T")
Action = Callable[[Request], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls(Generic[T]):
    """`POST /_control/script` `{"token", "answers"}`, `GET /_control/log?since=`, `DELETE` of both, and `more`.

    `parse` makes the answers of what a script lists; it raises BadScript.
    """

    log: WireLog
    scripts: Scripts[T]
    parse: Callable[[object], list[T]]
    apart: Mapping[str, Scripts[T]] = field(
        default_factory=dict
    )  # scripts of their own, by the token they go by
    more: Mapping[tuple[str, str], Action] = field(default_factory=dict)  # by method and path

    def answer(self, request: Request) -> Response:
        """Return the answer to a request whose path begins with PREFIX; 404 for one that is no control."""
        actions: dict[tuple[str, str], Action] = {
            ("POST", f"{PREFIX}script"): self._put_script,
            ("DELETE", f"{PREFIX}script"): self._clear_scripts,
            ("GET", f"{PREFIX}log"): self._read_log,
            ("DELETE", f"{PREFIX}log"): self._clear_log,
            **self.more,
        }
        action = actions.get((request.method, request.path))
        if action is None:
            return json_response({"error": "no such control"}, status=404)
        try:
            return json_response(action(request))
        except (BadScript, ValueError, TypeError) as error:
            return json_response({"error": str(error)}, status=400)

    def _put_script(self, request: Request) -> dict[str, Any]:
        raw = request.json()
        if not isinstance(raw, dict) or not isinstance(raw.get("token"), str):
            raise BadScript("a script is an object with token and answers")
        answers = self.parse(raw.get("answers"))
        self.apart.get(raw["token"], self.scripts).put(raw["token"], answers)
        return {"answers": len(answers)}

    def _clear_scripts(self, request: Request) -> dict[str, Any]:
        for scripts in (self.scripts, *self.apart.values()):
            scripts.clear()
        return {}

    def _read_log(self, request: Request) -> list[dict[str, Any]]:
        return self.log.since(int(request.query.get("since", "0")))

    def _clear_log(self, request: Request) -> dict[str, Any]:
        self.log.clear()
        return {}
