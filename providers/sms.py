"""Run a local SMS gateway: `python -m providers.sms --state-file FILE [--host H] [--port P]`.

Once it listens, FILE holds `{"base_url", "url", "pid"}`, `url` with the account's credentials as SMS_GATEWAY_URL wants
them; the file goes away when the server stops. It speaks three dialects: rayon, twilio and vonage.
"""

import secrets
from typing import Any

from .http_server import HttpServer
from .serving import option_parser, serve_until_told
from .sms_app import SmsApp

USER = "rayon-local"


class SmsServer(HttpServer):
    """A local SMS gateway with one account."""

    def __init__(self, *, host: str, port: int) -> None:
        """Bind the address and make an account; raises OSError."""
        self.app = SmsApp(user=USER, secret=secrets.token_urlsafe(16))
        super().__init__(host=host, port=port, app_at=lambda _: self.app)

    def state(self) -> dict[str, Any]:
        """Return where it is, without the account and with it."""
        account = f"{self.app.user}:{self.app.secret}"
        return {**super().state(), "url": self.base_url.replace("//", f"//{account}@", 1)}


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    options = option_parser(prog="python -m providers.sms", description=__doc__).parse_args(arguments)
    serve_until_told(
        lambda: SmsServer(host=options.host, port=options.port),
        name="The local SMS gateway",
        options=options,
    )


if __name__ == "__main__":
    main()
