"""What every local provider's command keeps to."""

import subprocess
import sys
from pathlib import Path

import pytest

from providers.sockets import bound_socket

from .processes import PROCESS_WITHIN_S


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("providers.fcm", "The local FCM"),
        ("providers.apns", "The local APNs"),
        ("providers.webpush", "The local push service"),
        ("providers.smtp", "The local mail server"),
        ("providers.sms", "The local SMS gateway"),
        ("providers.all", "The local providers"),
    ],
)
def test_a_port_that_is_taken_is_said_in_a_sentence(tmp_path: Path, module: str, name: str) -> None:
    state_file = tmp_path / "s.json"
    with bound_socket("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", module, "--port", port, "--state-file", str(state_file)]

        ended = subprocess.run(command, capture_output=True, text=True, timeout=PROCESS_WITHIN_S, check=False)

    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{name} cannot start on 127.0.0.1:{port}: ")
    assert not state_file.exists()
