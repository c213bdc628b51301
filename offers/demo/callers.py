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
    """The log of the local push provider, or of all local providers, from the moment this is made."""

    http: httpx.Client
    base_url: str
    _since: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._since = max((entry["seq"] for entry in self._log()), default=0)

    def base_urls(self) -> dict[str, str]:
        """Return where each local provider is, by name; nothing where the log is of one provider alone."""
        answer = self._get("/_control/providers")
        return dict(answer.json()) if answer.is_success else {}

    def subscribe(self, push_service: str) -> dict[str, Any]:
        """Return a new browser's subscription, as PushSubscription.toJSON() gives it."""
        told = self.http.post(f"{push_service}/subscribe").raise_for_status().json()
        return {"endpoint": told["endpoint"], "keys": {"p256dh": told["p256dh"], "auth": told["auth"]}}

    def reached(self, address: str) -> list[dict[str, Any]]:
        """Return the log's entries of what reached this phone, browser or mailbox."""
        return [entry for entry in self._log() if entry["delivered"] and entry["token"] == address]

    def wait_for(self, address: str, *, of: str, within_s: float) -> dict[str, Any]:
        """Return the entry of the first message that reaches this address. Raises StoryFailed when time is up."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            for entry in self.reached(address):
                return entry
            time.sleep(LOOK_EVERY_S)
        raise StoryFailed(
            f"Nothing reached the {of} within {within_s:.0f} s: is `manage.py deliver` running?"
        )

    def _log(self) -> list[dict[str, Any]]:
        try:
            return list(self._get("/_control/log", since=self._since).raise_for_status().json())
        except (httpx.HTTPError, ValueError) as error:
            raise self._no_provider() from error

    def _get(self, path: str, **query: int) -> httpx.Response:
        try:
            return self.http.get(f"{self.base_url.rstrip('/')}{path}", params=query)
        except httpx.HTTPError as error:
            raise self._no_provider() from error

    def _no_provider(self) -> StoryFailed:
        return StoryFailed(
            f"{self.base_url} is not the local push provider: start one with `python -m providers.fcm`, "
            "and name it with --provider-url or FCM_BASE_URL."
        )


def _code(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        return f"{problem['code']}: {problem.get('detail', '')}".rstrip(": .")
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.reason_phrase
