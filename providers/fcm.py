"""Run a local FCM: `python -m providers.fcm --state-file FILE [--host H] [--port P] [--directory D]`.

Once it listens, FILE holds `{"base_url", "credentials_file", "pid"}`; the file goes away when the server stops.
"""

from pathlib import Path
from typing import Any

from .fcm_app import FcmApp
from .http_server import HttpServer
from .service_account import CREDENTIALS_NAME, TokenIssuer, write_service_account
from .serving import option_parser, serve_until_told

DEFAULT_PROJECT = "rayon-local"


class FcmServer(HttpServer):
    """A local FCM with its service account."""

    def __init__(self, *, host: str, port: int, directory: Path, project: str = DEFAULT_PROJECT) -> None:
        """Bind the address and make or reuse the service account in `directory`; raises OSError."""
        self.credentials_file = (directory / CREDENTIALS_NAME).resolve()

        def app_at(base_url: str) -> FcmApp:
            account = write_service_account(directory, base_url=base_url, project=project)
            return FcmApp(issuer=TokenIssuer(account=account))

        super().__init__(host=host, port=port, app_at=app_at)

    def state(self) -> dict[str, Any]:
        """Return where it is and whom it knows."""
        return {**super().state(), "credentials_file": str(self.credentials_file)}


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = option_parser(prog="python -m providers.fcm", description=__doc__)
    parser.add_argument(
        "--directory",
        type=Path,
        help="keeps the service account; default: beside the state file",
    )
    parser.add_argument("--project", default=DEFAULT_PROJECT)
    options = parser.parse_args(arguments)

    def start() -> FcmServer:
        directory = options.directory or options.state_file.parent
        return FcmServer(host=options.host, port=options.port, directory=directory, project=options.project)

    serve_until_told(start, name="The local FCM", options=options)


if __name__ == "__main__":
    main()
