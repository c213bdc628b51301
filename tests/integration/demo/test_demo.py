"""manage.py demo, over the demo's real files."""

import io
import json
import stat
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone
from pytest_django.fixtures import Settings

from customers.models import Affinity, ApiKey, Customer, Purchase, PurchaseLine
from customers.rules.affinity import brand_key
from offers.demo.files import read_story, weeks_to_shift
from offers.demo.logins import ensure_logins, logins_stand
from offers.models import Aisle, Beacon, Category, Offer, OfferState, Product, Store
from tests.integration.imports.commands import table_counts

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(settings: Settings, tmp_path: Path) -> Path:
    settings.DEMO, settings.RAYON_HOME = True, tmp_path
    return tmp_path


def demo(**options: bool) -> list[str]:
    out = io.StringIO()
    call_command("demo", stdout=out, **options)
    return out.getvalue().splitlines()


def test_the_demo_loads_what_its_page_says_and_nothing_twice(home: Path) -> None:
    told = demo()

    names = [
        "log-ins",
        "stores",
        "categories",
        "products",
        "aisles",
        "customers",
        "purchases",
        "offers",
        "demo",
    ]
    assert [line.split()[0] for line in told] == names
    assert (Store.objects.count(), Store.objects.filter(area__isnull=False).count()) == (597, 30)
    assert Store.objects.exclude(opening_hours="").count() == 79
    assert (Category.objects.count(), Product.objects.count()) == (43, 1486)
    assert (Aisle.objects.count(), Beacon.objects.count()) == (42, 42)
    assert (Customer.objects.count(), Purchase.objects.count(), PurchaseLine.objects.count()) == (
        80,
        3573,
        6002,
    )
    assert Offer.objects.filter(state=OfferState.LIVE).count() == 11
    assert Offer.objects.filter(state=OfferState.DRAFT).count() == 1

    story = read_story()
    of_brand = Affinity.objects.filter(kind="brand", key=brand_key(story.brand))
    assert of_brand.filter(customer__ref=story.buyer).count() == 1
    assert of_brand.filter(customer__ref=story.neighbour).count() == 0
    last = Purchase.objects.order_by("-purchased_at").values_list("purchased_at", flat=True)[0]
    assert 0 <= (timezone.now() - last).total_seconds() < 7 * 86_400

    before, logins = table_counts(), (home / "demo-logins.json").read_bytes()
    [line] = demo()
    assert line.startswith("demo         loaded before, nothing to do")
    assert float(line.split()[-2]) < 2.0
    assert table_counts() == before
    assert (home / "demo-logins.json").read_bytes() == logins

    Offer.objects.filter(ref="skyrs").update(state=OfferState.ENDED)
    told = demo(again=True)
    assert table_counts() == before
    assert [
        line[13:].partition("  ")[0] for line in told if line.startswith(("products", "purchases", "offers"))
    ] == [
        "1,486 same",
        f"3,573 receipts on 6,002 lines: 3,573 same; moved by {weeks_to_shift(now=timezone.now())} weeks",
        "10 live, 1 draft, 1 as staff left them",
    ]
    assert Offer.objects.get(ref="skyrs").state == OfferState.ENDED


def test_log_ins_are_made_once_and_only_their_owner_can_read_them(home: Path) -> None:
    ensure_logins(home=home)
    path = home / "demo-logins.json"
    values = json.loads(path.read_text())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(values["passwords"]) == ["manager", "marketer", "operator"]
    for username, password in values["passwords"].items():
        user = User.objects.get(username=username)
        assert (user.is_staff, user.is_superuser, user.check_password(password)) == (True, False, True)
    manager, marketer = User.objects.get(username="manager"), User.objects.get(username="marketer")
    assert manager.has_perm("offers.change_store") and not manager.has_perm("offers.change_offer")
    assert marketer.has_perm("offers.change_offer") and not marketer.has_perm("offers.change_store")
    key = ApiKey.objects.get()
    assert key.is_valid(values["api_key"]) and not key.revoked

    shown = "\n".join(demo(logins=True))
    assert all(secret in shown for secret in (*values["passwords"].values(), values["api_key"]))

    assert ensure_logins(home=home) == ensure_logins(home=home)
    path.unlink()
    assert not logins_stand(home=home)
    ensure_logins(home=home)
    assert logins_stand(home=home)
    fresh = json.loads(path.read_text())
    assert fresh["api_key"] != values["api_key"]
    assert ApiKey.objects.filter(revoked=False).count() == 1
    assert User.objects.get(username="manager").check_password(fresh["passwords"]["manager"])


def test_production_takes_no_demo(settings: Settings) -> None:
    settings.DEMO = settings.DEBUG = False
    before = table_counts()

    with pytest.raises(CommandError, match="not for production"):
        demo()
    assert table_counts() == before


def test_log_ins_are_asked_for_only_after_they_were_made(home: Path) -> None:
    with pytest.raises(CommandError, match="no demo log-ins yet"):
        demo(logins=True)
