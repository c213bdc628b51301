"""The demo's way out: every local provider in one process, and the environment that sends everything to them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.place import Place
from scripts.supervisor import Supervisor

START_WITHIN_S = 30.0
# The sender's own names. Numbers and addresses that belong to nobody: ARCEP keeps 06 39 98 for fiction, RFC 2606 example.org.
SENDER = {
    "WEBPUSH_VAPID_SUBJECT": "mailto:rayon@example.org",
    "EMAIL_FROM": "Rayon <rayon@example.org>",
    "SMS_SENDER": "Rayon",
    "SMS_STOP_NUMBER": "36180",
}


@dataclass(frozen=True)
class Demo:
    """The local providers of one RAYON_HOME: keys, certificates and the state file are in a folder of it."""

    place: Place
    children: Supervisor

    @property
    def folder(self) -> Path:
        return self.place.home / "providers"

    def start(self, *, env: Mapping[str, str]) -> None:
        """Start the providers; they get ready while other steps go on."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._state.unlink(missing_ok=True)
        command = [str(self.place.python), "-m", "providers.all", "--state-file", str(self._state)]
        self.children.start(name="push", command=command, env=env)

    def ready(self, *, manage: Callable[..., str]) -> tuple[str, dict[str, str]]:
        """Wait for them; return where their page is, and the variables of the service's environment.

        Raises Refusal with what they said where they did not start. Makes the VAPID key the first time.
        """
        key = self.folder / "vapid.pem"
        if not key.exists():
            manage("make_vapid_key", str(key))
        self.children.wait_until(
            self._state.exists, what="The start of the local providers", timeout_s=START_WITHIN_S
        )
        told = json.loads(self._state.read_text())
        own = {**SENDER, "WEBPUSH_VAPID_KEY_FILE": str(key), "PUBLIC_URL": self.place.base_url}
        return told["base_url"], {**told["environment"], **own}

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"
