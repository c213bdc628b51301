"""The environment: every variable the project reads, parsed and checked once."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from config.providers_env import read_providers
from offers.gateways.settings import ProviderSettings

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
POSTGIS = "django.contrib.gis.db.backends.postgis"
DATABASE_SCHEMES = ("postgis", "postgres", "postgresql", "pgsql")
GEOCODER_URLS = {
    "": "",
    "ban": "https://data.geopf.fr/geocodage/search",
    "nominatim": "https://nominatim.openstreetmap.org/search",
}


@dataclass(frozen=True)
class Environment:
    home: Path  # RAYON_HOME: the embedded cluster, logs, and the generated key
    host: str
    port: int
    debug: bool
    demo: bool
    https: bool  # secure cookies, HSTS, redirects of pages
    embedded: bool  # True: the private cluster; False: DATABASE_URL was given
    database: dict[str, Any]  # one entry of Django's DATABASES
    database_pool: int  # greatest number of connections of one process; 0: no pool
    redis_url: str  # "": the channel layer is PostgreSQL
    secret_key: str
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    map_tiles_url: str  # "": maps are drawn without tiles, so without network
    ready_max_queue_age_s: int  # /readyz fails when a due message has waited longer
    providers: (
        ProviderSettings  # without credentials: pushes are printed in development, kept waiting elsewhere
    )
    email_url: str  # "": e-mail is printed in development
    geocoder: str  # "", "ban" or "nominatim"
    geocoder_url: str
    geocoder_user_agent: str


def read_environment(*, source: Mapping[str, str]) -> Environment:
    """Return the checked settings.

    Raises ImproperlyConfigured with one line per bad or missing variable, each naming it.
    Writes RAYON_HOME/secret-key (mode 0600) when a development or embedded start has no SECRET_KEY.
    """
    reader = _Reader(source=source)
    home = _home(source=source)
    debug, demo = reader.boolean("DEBUG"), reader.boolean("DEMO")
    embedded = not source.get("DATABASE_URL")
    private = debug or demo or embedded
    geocoder = reader.one_of("GEOCODER", choices=tuple(GEOCODER_URLS))
    host = reader.text("HOST", default="127.0.0.1")
    found = Environment(
        home=home,
        host=host,
        port=reader.whole("PORT", default=8000, low=1, high=65535),
        debug=debug,
        demo=demo,
        https=reader.boolean("HTTPS", default=not private),
        embedded=embedded,
        database=reader.database(home=home),
        database_pool=reader.whole("DATABASE_POOL", default=10, low=0, high=1000),
        redis_url=reader.url("REDIS_URL", schemes=("redis", "rediss", "unix")),
        secret_key=reader.secret_key(home=home, may_generate=private),
        allowed_hosts=reader.listed("ALLOWED_HOSTS", default=_own_hosts(host=host)),
        csrf_trusted_origins=reader.listed("CSRF_TRUSTED_ORIGINS", default=[]),
        map_tiles_url=reader.url("MAP_TILES_URL", schemes=("http", "https")),
        ready_max_queue_age_s=reader.whole("READY_MAX_QUEUE_AGE_S", default=120, low=1, high=86_400),
        providers=read_providers(reader, at_a_desk=debug or demo),
        email_url=reader.text("EMAIL_URL", default=""),
        geocoder=geocoder,
        geocoder_url=reader.url("GEOCODER_URL", schemes=("http", "https"), default=GEOCODER_URLS[geocoder]),
        geocoder_user_agent=reader.text("GEOCODER_USER_AGENT", default=""),
    )
    if found.geocoder == "nominatim" and not found.geocoder_user_agent:
        reader.problem(
            "GEOCODER_USER_AGENT", "must name you when GEOCODER=nominatim: its usage policy asks for it"
        )
    reader.raise_problems()
    return found


def _home(*, source: Mapping[str, str]) -> Path:
    home = Path(source.get("RAYON_HOME") or ".rayon").expanduser()
    return home if home.is_absolute() else ROOT / home


def _own_hosts(*, host: str) -> list[str]:
    names = ["localhost", "127.0.0.1", "[::1]"]
    return names if host in ("", "0.0.0.0", "::", "127.0.0.1", "localhost") else [*names, host]  # noqa: S104 - compared, not bound


class _Reader:
    """Reads one variable after the other and gathers what is wrong, so that all is told at once."""

    def __init__(self, *, source: Mapping[str, str]) -> None:
        # An empty variable is an unset one: `PORT= make run` must not differ from `make run`.
        self._env = environ.Env()
        self._env.ENVIRON = {name: value for name, value in source.items() if value != ""}
        self._problems: list[str] = []

    def problem(self, name: str, sentence: str) -> None:
        self._problems.append(f"{name} {sentence}.")

    def raise_problems(self) -> None:
        if self._problems:
            raise ImproperlyConfigured("\n".join(self._problems))

    def text(self, name: str, *, default: str) -> str:
        return str(self._env.str(name, default=default))

    def listed(self, name: str, *, default: list[str]) -> list[str]:
        return [item.strip() for item in self._env.list(name, default=default) if item.strip()]

    def boolean(self, name: str, *, default: bool = False) -> bool:
        given = self.text(name, default="1" if default else "0").lower()
        if given in ("1", "true", "yes", "on"):
            return True
        if given not in ("0", "false", "no", "off"):
            self.problem(name, "must be 1 or 0")
        return False

    def whole(self, name: str, *, default: int, low: int, high: int) -> int:
        value = self._parsed(lambda: int(self._env.int(name, default=default)))
        if value is None or not low <= value <= high:
            self.problem(name, f"must be a whole number from {low} to {high}")
            return default
        return value

    def one_of(self, name: str, *, choices: tuple[str, ...]) -> str:
        value = self.text(name, default="")
        if value not in choices:
            self.problem(name, f"must be one of: {', '.join(choice for choice in choices if choice)}")
            return ""
        return value

    def url(self, name: str, *, schemes: tuple[str, ...], default: str = "") -> str:
        value = self.text(name, default=default)
        if value and urlsplit(value).scheme not in schemes:
            self.problem(name, f"must be a URL that begins with {' or '.join(s + '://' for s in schemes)}")
        return value

    def readable_file(self, name: str) -> str:
        value = self.text(name, default="")
        if value and not Path(value).is_file():
            self.problem(name, "must be the path of a file that exists")
        return value

    def database(self, *, home: Path) -> dict[str, Any]:
        """Return DATABASES["default"] from DATABASE_URL, else from the embedded cluster's note in `home`."""
        note = home / "database-url"
        url = self.text("DATABASE_URL", default="")
        if not url and note.is_file():
            url = note.read_text().strip()
        if not url:
            self.problem(
                "DATABASE_URL", "is not set and no embedded cluster stands in RAYON_HOME: try `make run`"
            )
            return {}
        if urlsplit(url).scheme not in DATABASE_SCHEMES:
            self.problem("DATABASE_URL", "must begin with postgis:// or postgresql://")
            return {}
        parsed = self._parsed(lambda: dict(environ.Env.db_url_config(url, engine=POSTGIS)))
        if not parsed or not parsed.get("NAME"):
            self.problem("DATABASE_URL", "must look like postgis://user:password@host:5432/name")
            return {}
        options = parsed.get("OPTIONS", {})
        # The address of a Unix socket stands in the query; Django and its dbshell look for it in HOST.
        for name in ("host", "port"):
            if not parsed[name.upper()] and name in options:
                parsed[name.upper()] = options.pop(name)
        return parsed

    def secret_key(self, *, home: Path, may_generate: bool) -> str:
        value = self.text("SECRET_KEY", default="")
        if value:
            return value
        if not may_generate:
            self.problem("SECRET_KEY", "must be set in production: a long random text that stays the same")
            return ""
        try:
            return _kept_key(path=home / "secret-key")
        except OSError as error:
            self.problem("RAYON_HOME", f"must be a folder one can write to ({error.strerror})")
            return ""

    @staticmethod
    def _parsed(parse: Callable[[], T]) -> T | None:
        try:
            return parse()
        except (ValueError, ImproperlyConfigured):
            return None


def _kept_key(*, path: Path) -> str:
    """Return the key in `path`, made at the first call; two processes at once get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(64))
        try:
            path.hardlink_to(fresh)  # unlike a rename, never replaces the key another process just made
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()
