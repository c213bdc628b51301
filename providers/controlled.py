"""The other side of a control door, for tests."""

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Controlled:
    """A local provider that answers; the helpers speak to its control door."""

    control_url: str

    def script(self, token: str, *answers: dict[str, Any]) -> None:
        """Put the answers for an address's next messages, in order; `*` stands for any address without its own."""
        self._call("POST", "/_control/script", json={"token": token, "answers": list(answers)})

    def log(self, *, since: int = 0) -> list[dict[str, Any]]:
        """Return what came over the wire, oldest first."""
        return list(self._call("GET", f"/_control/log?since={since}"))

    def delivered(self) -> list[dict[str, Any]]:
        """Return the messages that arrived, oldest first."""
        return [entry["message"] for entry in self.log() if entry["delivered"]]

    def reset(self) -> None:
        """Forget scripts and log."""
        self._call("DELETE", "/_control/script")
        self._call("DELETE", "/_control/log")

    def _call(self, method: str, path: str, **more: Any) -> Any:
        # Plain HTTP on loopback: there are no certificates to read.
        with httpx.Client(base_url=self.control_url, trust_env=False, verify=False, timeout=5.0) as client:
            answer = client.request(method, path, **more)
        if answer.is_error:
            raise ValueError(answer.text)
        return answer.json()
