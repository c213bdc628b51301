"""Stores with an address alone: asked of a local server that answers as the French address base does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from geopy.distance import geodesic
from pytest_django.fixtures import Settings

from offers.geocoding import MAX_FAILURES_IN_A_ROW, Geocoder, NotGeocoded
from offers.models import Store
from tests.integration.imports.commands import run, written
from tests.integration.imports.geocoder import Base, running_base

STORES = """ref,name,address
A,Alpha,8 Boulevard du Port 95000 Cergy
B,Beta,nowhere at all
C,Gamma,
"""
CERGY = (49.031624, 2.062821)  # the address base's own example


@pytest.fixture
def base() -> Iterator[Base]:
    with running_base() as running:
        running.known["8 Boulevard du Port 95000 Cergy"] = (*CERGY, 0.87)
        yield running


@pytest.fixture
def geocoder(base: Base) -> Geocoder:
    return Geocoder(kind="ban", url=base.url, user_agent="rayon-tests", timeout_s=0.3)


@pytest.fixture
def with_geocoder(settings: Settings, base: Base) -> Base:
    settings.GEOCODER, settings.GEOCODER_URL = "ban", base.url
    return base


def refused(geocoder: Geocoder, address: str) -> str:
    with pytest.raises(NotGeocoded) as caught:
        geocoder.locate(address)
    return caught.value.code


def test_an_address_has_the_position_that_the_base_gives(geocoder: Geocoder) -> None:
    found = geocoder.locate("8 Boulevard du Port 95000 Cergy")

    assert geodesic((found.lat, found.lon), CERGY).m == 0


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, "address_unknown"),
        ((*CERGY, 0.31), "address_uncertain"),
        pytest.param(
            (91.0, 2.0, 0.9), "geocoder_unavailable", marks=pytest.mark.filterwarnings("ignore:Latitude")
        ),
        (500, "geocoder_unavailable"),
        (429, "geocoder_busy"),
        (503, "geocoder_timeout"),
        ("nonsense", "geocoder_unavailable"),
        (0.8, "geocoder_timeout"),
    ],
)
def test_every_no_of_the_base_has_a_name(base: Base, geocoder: Geocoder, answer: object, code: str) -> None:
    base.known["X"] = answer

    assert refused(geocoder, "X") == code


def test_a_base_that_keeps_failing_is_not_asked_any_more(base: Base, geocoder: Geocoder) -> None:
    base.known["X"] = 500

    codes = [refused(geocoder, "X") for _ in range(MAX_FAILURES_IN_A_ROW + 5)]

    assert set(codes) == {"geocoder_unavailable"}
    assert len(base.asked) == MAX_FAILURES_IN_A_ROW


def test_a_base_that_is_not_there_is_a_named_no() -> None:
    gone = Geocoder(kind="ban", url="http://127.0.0.1:9/search", user_agent="rayon-tests", timeout_s=0.3)

    assert refused(gone, "X") == "geocoder_unavailable"


def test_nominatim_is_asked_at_the_address_of_the_settings(base: Base) -> None:
    nominatim = Geocoder(kind="nominatim", url=base.url, user_agent="rayon-tests", timeout_s=1)

    assert refused(nominatim, "Y") in ("address_unknown", "geocoder_unavailable")  # it speaks another dialect
    assert base.asked == ["Y"]


@pytest.mark.django_db
def test_without_a_geocoder_an_address_alone_is_refused(tmp_path: Path, settings: Settings) -> None:
    settings.GEOCODER = ""

    told = run("import_stores", written(tmp_path, STORES))

    assert [line.split(": ")[:2] for line in told.err] == [
        ["line 2 A", "refused, no_position"],
        ["line 3 B", "refused, no_position"],
        ["line 4 C", "refused, no_position"],
    ]
    assert Store.objects.count() == 0


@pytest.mark.django_db
def test_an_address_alone_is_asked_for_once_over_all_imports(tmp_path: Path, with_geocoder: Base) -> None:
    path = written(tmp_path, STORES)
    first, second = run("import_stores", path), run("import_stores", path)

    assert first.out[-1].endswith("3 stores read: 1 new, 0 changed, 0 same, 2 refused")
    assert second.out[-1].endswith("3 stores read: 0 new, 0 changed, 1 same, 2 refused")
    assert [line.split(": ")[:2] for line in first.err] == [
        ["line 3 B", "refused, address_unknown"],
        ["line 4 C", "refused, no_position"],
    ]
    assert with_geocoder.asked == ["8 Boulevard du Port 95000 Cergy", "nowhere at all", "nowhere at all"]
    store = Store.objects.get()
    assert (store.address, store.radius_m) == ("8 Boulevard du Port 95000 Cergy", 100.0)
    assert geodesic((store.location.y, store.location.x), CERGY).m == 0
