"""Run a local FCM: `python -m providers.fcm --state-file FILE [--host H] [--port P] [--directory D]`.

Once it listens, FILE holds `{"base_url", "credentials_file", "pid"}`; the file goes away when the server stops.
"""

import argparse
import signal
from pathlib import Path

import uvicorn

from .fcm_app import FcmApp
from .http import CuttableProtocol
from .service_account import CREDENTIALS_NAME, TokenIssuer, write_service_account
from .sockets import bound_socket, shown_host, write_state

DEFAULT_PROJECT = "rayon-local"
GRACE_S = 1  # answers still owed when the server is told to stop are cut off after this


class FcmServer(uvicorn.Server):
    """The server, bound at construction, so that its address is known before it runs."""

    def __init__(self, *, host: str, port: int, directory: Path, project: str = DEFAULT_PROJECT) -> None:
        """Bind the address and make or reuse the service account in `directory`; raises OSError."""
        self.socket = bound_socket(host, port)
        self.base_url = f"http://{shown_host(host)}:{self.socket.getsockname()[1]}"
        self.credentials_file = (directory / CREDENTIALS_NAME).resolve()
        account = write_service_account(directory, base_url=self.base_url, project=project)
        self.app = FcmApp(issuer=TokenIssuer(account=account))
        super().__init__(
            uvicorn.Config(
                self.app,
                http=CuttableProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

    def run_here(self) -> None:
        """Serve until told to stop, then close the socket."""
        try:
            self.run(sockets=[self.socket])
        finally:
            self.socket.close()


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    options = _options(arguments)
    # uvicorn raises the signal that stopped it once more when it has closed everything; that one ends nothing.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    directory = options.directory or options.state_file.parent
    try:
        server = FcmServer(
            host=options.host,
            port=options.port,
            directory=directory,
            project=options.project,
        )
    except OSError as error:
        raise SystemExit(f"The local FCM cannot start on {options.host}:{options.port}: {error}") from error
    write_state(
        options.state_file,
        {"base_url": server.base_url, "credentials_file": str(server.credentials_file)},
    )
    try:
        server.run_here()
    finally:
        options.state_file.unlink(missing_ok=True)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m providers.fcm", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--state-file", type=Path, required=True)
    parser.add_argument(
        "--directory",
        type=Path,
        help="keeps the service account; default: beside the state file",
    )
    parser.add_argument("--project", default=DEFAULT_PROJECT)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
