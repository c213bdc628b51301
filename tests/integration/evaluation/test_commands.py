"""The evaluations over the recordings that come with the code give the figures that the documents state."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

DATA = Path(__file__).resolve().parents[2] / "data"
PHONES = {
    "fixes": DATA / "phone_fixes" / "fixes.csv.gz",
    "fences": DATA / "phone_fixes" / "fences.csv",
    "truth": DATA / "phone_fixes" / "truth.csv.gz",
}
WALKS = {"sightings": DATA / "ibeacon" / "sightings.csv.gz", "waypoints": DATA / "ibeacon" / "waypoints.csv"}


def test_every_true_visit_of_the_recorded_phones_is_entered_once(capsys, tmp_path):
    call_command("evaluate_geofences", **PHONES, json=tmp_path / "figures.json")
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((tmp_path / "figures.json").read_text())
    assert figures == {
        "fixes": 910,
        "fences": 26,
        "true_visits": 13,
        "refused": {"implausible": 20, "too vague": 239},
        "enters": {"told": 13, "right": 13, "true": 13, "found": 13, "precision": 1.0, "recall": 1.0},
        "exits": {"told": 16, "right": 13, "true": 13, "found": 13, "precision": 0.8125, "recall": 1.0},
        "entered_twice": 0,
    }


def test_the_walks_past_beacons_give_the_stated_shares(capsys):
    call_command("evaluate_beacons", **WALKS)
    figures = json.loads(capsys.readouterr().out)
    assert (figures["walks"], figures["beacons"], figures["moments"]) == (6, 4, 64)
    assert (figures["nearest_share"], figures["right_share"]) == (0.5156, 0.6094)


def test_without_a_choice_of_beacons_there_is_nothing_to_judge(tmp_path):
    alone = tmp_path / "sightings.csv"
    alone.write_text("site,floor,path_id,ts_ms,uuid,major,minor,tx_power,rssi,distance_m,mac\n")
    with pytest.raises(CommandError, match="Nothing can be judged"):
        call_command("evaluate_beacons", sightings=alone, waypoints=WALKS["waypoints"])


def test_the_yield_rules_give_the_published_numbers_that_the_page_shows(capsys):
    call_command("evaluate_yields")
    printed = capsys.readouterr().out.strip().splitlines()
    page = (Path(__file__).resolve().parents[3] / "docs" / "algorithms" / "yield.md").read_text()
    assert len(printed) > 40
    for line in printed[2:]:
        assert line in page
        rule, _, published, here = (cell.strip() for cell in line.strip("|").split(" | "))
        if "±" not in rule:
            assert here == published
        else:
            pairs = zip(numbers(here), numbers(published), strict=True)
            assert all(abs(ours - theirs) <= 0.0101 for ours, theirs in pairs)


def numbers(text: str) -> list[float]:
    return [float(word.strip(",")) for word in text.split()]
