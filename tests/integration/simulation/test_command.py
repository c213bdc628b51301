"""`manage.py simulate` prints what one can read."""

import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.integration.decisions.shop import make_offer
from tests.integration.simulation.town import make_town, sighting, whole_database

pytestmark = pytest.mark.django_db


def said(path: Path, *options: str, events: list[Any]) -> list[str]:
    path.write_text(json.dumps({"events": events}))
    out = StringIO()
    call_command("simulate", f"--path={path}", *options, stdout=out)
    return out.getvalue().splitlines()


def test_two_customers_side_by_side_as_a_table(tmp_path: Path, now: datetime) -> None:
    make_town(now=now)
    before = whole_database()
    options = ("--customer=B", "--customer=N", "--at=2026-06-17T10:00:00+02:00")
    lines = said(tmp_path / "p", *options, events=[sighting(now), 7])
    assert lines[:2] == ["event ? (B): rejected, invalid", "event ? (N): rejected, invalid"]
    assert lines[2:13] == [
        "when            who  what    where       decision",
        "──────────────  ───  ──────  ──────────  ──────────────",
        "17/06 10:00:00  B    enters  S1          – no_offer",
        "    No offer was running at this place.",
        "17/06 10:00:00  B    enters  S1 / fresh  ✓ yoghurt-20",
        "    “20 % sur Danone”: Vous achetez souvent du Danone. Prix personnel ; le prix de base est le même pour tous.",
        "    yoghurt-20: issued: wins",
        "17/06 10:00:00  N    enters  S1          – no_offer",
        "    No offer was running at this place.",
        "17/06 10:00:00  N    enters  S1 / fresh  – not_relevant",
        "    yoghurt-20: not_relevant: relevance → not_relevant (affinity_share=0.0, exact_share=0.0, never_bought=False)",
    ]
    assert whole_database() == before


def test_in_french_and_at_night(tmp_path: Path, now: datetime) -> None:
    make_town(now=now)
    options = ("--customer=B", "--at=2026-06-17T23:00:00+02:00", "--language=fr")
    lines = said(tmp_path / "p", *options, events=[sighting(now)])
    assert lines[0].split() == ["quand", "qui", "quoi", "où", "décision"]
    assert lines[4] == "17/06 23:00:00  B    arrive    S1 / fresh  – quiet_hours"
    assert "quiet_hours → quiet_hours (local_time=23:00, quiet=21:00–08:00)" in lines[5]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--customer=X"], "customer: unknown_customer"),
        (["--customer=A", "--customer=B", "--customer=C"], "One customer, or two side by side."),
        (["--customer=B", "--at=tonight"], "--at wants a time with an offset"),
        (["--customer=B", "--offer=nothing"], "offers.0.ref: unknown_offer"),
    ],
)
def test_what_it_cannot_do_it_says(tmp_path: Path, now: datetime, options: list[str], message: str) -> None:
    make_town(now=now)
    with pytest.raises(CommandError, match=message):
        said(tmp_path / "p", *options, events=[sighting(now)])


def test_a_draft_against_the_law_is_named(tmp_path: Path, now: datetime) -> None:
    make_town(now=now)
    make_offer(now=now, ref="deep", state="draft", published_at=None, benefit_value=5000)
    with pytest.raises(CommandError, match="deep: not_publishable. Plafond des promotions"):
        said(
            tmp_path / "p", "--customer=B", "--offer=deep", f"--at={now.isoformat()}", events=[sighting(now)]
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "cannot be read"),
        (b"[]", "must hold an object"),
        (b'{"events": []}', "must hold"),
        (b"\xff", "cannot be"),
    ],
)
def test_a_file_that_holds_no_path(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "p"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=message):
        call_command("simulate", f"--path={path}", "--customer=B")
