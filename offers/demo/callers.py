"""The story's callers: a back office, two phones, and the provider's control door. HTTP and nothing else."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

TIMEOUT_S = 10.0
LOOK_EVERY_S = 0.05


class StoryFailed(Exception):
    """The story did not go as it should; the text is one clear sentence."""


class Service:
    """The API under a base URL."""

    def __init__(self, *, http: httpx.Client, base_url: str, api_key: str) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key

    def office(self, method: str, path: str, body: Any = None) -> Any:
        """Call as the back office; return the answer's JSON. Raises StoryFailed for anything but a 2xx."""
        return self._call(method, path, body, credentials=f"Api-Key {self._api_key}")

    def phone(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """Call as a customer's phone; like `office`."""
        return self._call(method, path, body, credentials=f"Bearer {token}")

    def _call(self, method: str, path: str, body: Any, *, credentials: str) -> Any:
        try:
            answer = self._http.request(
                method, self._base_url + path, json=body, headers={"Authorization": credentials}
            )
        except httpx.HTTPError as error:
            raise StoryFailed(
                f"{self._base_url} does not answer ({type(error).__name__}): is it running?"
            ) from error
        if not answer.is_success:
            raise StoryFailed(f"{method} {path} was answered {answer.status_code} {_code(answer)}.")
        return answer.json() if answer.content else None


@dataclass(slots=True, kw_only=True)
class Provider:
    """The local push provider's log, from the moment this is made."""

    http: httpx.Client
    base_url: str
    _since: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._since = max((entry["seq"] for entry in self._log()), default=0)

    def pushes_to(self, token: str) -> list[dict[str, Any]]:
        """Return the messages that reached this phone."""
        return [entry["message"] for entry in self._log() if entry["delivered"] and entry["token"] == token]

    def wait_for_push(self, token: str, *, within_s: float) -> dict[str, Any]:
        """Return the first message that reaches this phone. Raises StoryFailed when time is up."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for message in self.pushes_to(token):
                return message
            time.sleep(LOOK_EVERY_S)
        raise StoryFailed(
            f"No push reached the buyer's phone within {within_s:.0f} s: is `manage.py deliver` running?"
        )

    def _log(self) -> list[dict[str, Any]]:
        try:
            answer = self.http.get(f"{self.base_url.rstrip('/')}/_control/log", params={"since": self._since})
            answer.raise_for_status()
            return list(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            raise StoryFailed(
                f"{self.base_url} is not the local push provider: start one with `python -m providers.fcm`, "
                "and name it with --provider-url or FCM_BASE_URL."
            ) from error


def _code(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['code']}: {problem.get('detail', '')}".rstrip(": .")
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.reason_phrase
