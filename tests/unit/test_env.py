"""The environment: parsed once, and named where it is wrong."""

import stat
from datetime import time
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.env import POSTGIS, ROOT, read_environment
from config.settings.rayon import DEFAULTS, read_rayon
from offers.gateways.settings import ProviderSettings

URL = "postgis://app:secret@db.example:5433/rayon"
PRODUCTION = {"DATABASE_URL": URL, "SECRET_KEY": "k"}


def test_production_needs_two_variables_and_is_strict_by_default() -> None:
    found = read_environment(source=PRODUCTION)
    assert (found.debug, found.demo, found.embedded, found.https) == (False, False, False, True)
    assert (found.host, found.port) == ("127.0.0.1", 8000)
    assert found.allowed_hosts == ["localhost", "127.0.0.1", "[::1]"]
    assert found.home == ROOT / ".rayon"
    assert found.providers == ProviderSettings()
    assert (found.geocoder, found.geocoder_url, found.redis_url, found.map_tiles_url) == ("", "", "", "")
    assert found.database == {
        "ENGINE": POSTGIS,
        "NAME": "rayon",
        "USER": "app",
        "PASSWORD": "secret",
        "HOST": "db.example",
        "PORT": 5433,
    }


def test_any_spelling_of_postgresql_means_postgis() -> None:
    found = read_environment(source={**PRODUCTION, "DATABASE_URL": URL.replace("postgis", "postgresql")})
    assert found.database["ENGINE"] == POSTGIS


def test_a_socket_in_the_query_becomes_the_host() -> None:
    url = "postgis://app@/rayon?host=/run/Rayon&port=5432&application_name=x"
    found = read_environment(source={**PRODUCTION, "DATABASE_URL": url})
    assert (found.database["HOST"], found.database["PORT"]) == ("/run/Rayon", 5432)
    assert found.database["OPTIONS"] == {"application_name": "x"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY must be set in production"),
        ({"PORT": "0"}, "PORT must be a whole number from 1 to 65535"),
        ({"PORT": "eighty"}, "PORT must be a whole number from 1 to 65535"),
        ({"DEBUG": "perhaps"}, "DEBUG must be 1 or 0"),
        ({"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL must begin with postgis:// or postgresql://"),
        ({"DATABASE_URL": "postgis://app@host"}, "DATABASE_URL must look like"),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL must be a URL"),
        ({"FCM_BASE_URL": "fcm.example"}, "FCM_BASE_URL must be a URL"),
        (
            {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/at/all.json"},
            "GOOGLE_APPLICATION_CREDENTIALS must be",
        ),
        ({"GEOCODER": "paper map"}, "GEOCODER must be one of: ban, nominatim"),
        ({"GEOCODER": "nominatim"}, "GEOCODER_USER_AGENT must name you"),
    ],
)
def test_a_wrong_variable_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read_environment(source={**PRODUCTION, **given})
    (line,) = str(raised.value).splitlines()
    assert line.startswith(named)


def test_everything_wrong_is_told_at_once_and_no_secret_with_it() -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read_environment(source={"DATABASE_URL": "mysql://u:hush@h/d", "PORT": "x", "SECRET_KEY": "quiet"})
    assert [line.split()[0] for line in str(raised.value).splitlines()] == ["PORT", "DATABASE_URL"]
    assert "hush" not in str(raised.value)
    assert "quiet" not in str(raised.value)


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_environment(source={**PRODUCTION, "PORT": "", "DEMO": ""}).port == 8000


def test_the_geocoder_brings_its_address() -> None:
    found = read_environment(source={**PRODUCTION, "GEOCODER": "ban"})
    assert found.geocoder_url == "https://data.geopf.fr/geocodage/search"


def test_an_embedded_start_makes_a_key_of_its_own_once(tmp_path: Path) -> None:
    (tmp_path / "database-url").write_text("postgis://app@/rayon?host=/run/x&port=5432\n")
    first, second = (read_environment(source={"RAYON_HOME": str(tmp_path)}) for _ in range(2))
    kept = tmp_path / "secret-key"
    assert len(first.secret_key) >= 64
    assert first.secret_key == second.secret_key == kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert (first.embedded, first.https, first.database["HOST"]) == (True, False, "/run/x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["database-url", "secret-key"]


def test_without_any_database_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not set .* try `make run`"):
        read_environment(source={"RAYON_HOME": str(tmp_path)})


def test_offers_defaults_stand_without_an_environment() -> None:
    assert read_rayon(source={"RAYON_HOME": "x", "PATH": "y", "RAYON_MIN_GAP_S": ""}) == DEFAULTS


def test_offers_defaults_are_overruled_by_name() -> None:
    found = read_rayon(
        source={"RAYON_MAX_PUSHES_PER_DAY": "2", "RAYON_QUIET_FROM": "22:30", "RAYON_HOLDOUT_SHARE": "0"}
    )
    assert (found["max_pushes_per_day"], found["quiet_from"], found["holdout_share"]) == (
        2,
        time(22, 30),
        0.0,
    )
    assert found["max_pushes_per_week"] == 3


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("RAYON_QUIET_HOURS", "1", "is not a setting of Rayon."),
        ("RAYON_MIN_GAP_S", "1.5", "must be a whole number."),
        ("RAYON_MIN_GAP_S", "-1", "must be 0 or more."),
        ("RAYON_MAX_SPEED_MPS", "nan", "must be 0 or more."),
        ("RAYON_HOLDOUT_SHARE", "1.01", "must be between 0 and 1."),
        ("RAYON_HOLDOUT_SHARE", "nan", "must be between 0 and 1."),
        ("RAYON_QUIET_UNTIL", "8 o'clock", "must be a local time such as 21:00."),
        ("RAYON_QUIET_UNTIL", "08:00+02:00", "must be a local time such as 21:00."),
        ("RAYON_EXIT_PROBABILITY", "0.8", "must be below RAYON_ENTER_PROBABILITY."),
    ],
)
def test_a_wrong_default_is_named(name: str, value: str, told: str) -> None:
    with pytest.raises(ImproperlyConfigured) as raised:
        read_rayon(source={name: value})
    assert str(raised.value) == f"{name} {told}"


def test_origins_beyond_the_guard_are_for_a_desk_alone() -> None:
    given = {**PRODUCTION, "WEBPUSH_DEV_ORIGINS": "http://127.0.0.1:8090"}

    with pytest.raises(ImproperlyConfigured, match="WEBPUSH_DEV_ORIGINS is for development alone"):
        read_environment(source=given)
    for name in ("DEBUG", "DEMO"):
        found = read_environment(source={**given, name: "1"})
        assert found.providers.webpush.dev_origins == ("http://127.0.0.1:8090",)
