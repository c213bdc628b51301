"""The evaluations of targeting, over customers made here."""

import csv
import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from offers.evaluation.next_baskets import read
from tests.integration.targeting.shoppers import plans

METHODS = ["rayon", "blend", "g-topfreq", "p-topfreq", "gp-topfreq", "tifu-knn", "up-cf@r"]
MEASURES = ["recall@10", "ndcg@10", "phr@10", "recall@20", "ndcg@20", "phr@20"]


def _files(folder: Path, *, customers: int) -> dict[str, Path]:
    baskets = plans(seed=8, customers=customers)
    history, future = folder / "history.json", folder / "future.json"
    history.write_text(json.dumps({name: own[:-1] for name, own in baskets.items()}))
    future.write_text(json.dumps({name: own[-1] for name, own in baskets.items()}))
    return {"history": history, "future": future}


def test_every_method_is_reported_on_customers_that_did_not_tune(tmp_path: Path, capsys: Any) -> None:
    call_command("evaluate_targeting", **_files(tmp_path, customers=200), json=tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert list(figures) == METHODS
    assert all(list(figures[method]) == MEASURES for method in METHODS)
    assert figures["rayon"]["recall@10"] > figures["p-topfreq"]["recall@10"]
    told = capsys.readouterr().out
    tuned = read(**_files(tmp_path, customers=200)).tunes
    assert 5 < tuned.sum() < 40
    assert f"Chosen on {tuned.sum()} customers who are not reported: epochs" in told
    assert f"Reported on {200 - tuned.sum()} customers" in told


def test_with_fixed_settings_everybody_is_reported_and_no_future_is_looked_at(
    tmp_path: Path, capsys: Any
) -> None:
    """Other futures lead to other figures of the same rankings: the first products are told alike."""
    call_command(
        "evaluate_targeting", **_files(tmp_path, customers=60), all_users=True, json=tmp_path / "f.json"
    )
    told = capsys.readouterr().out
    assert "Fixed setting: epochs 12, by_size 0.5" in told
    assert "Reported on 60 customers" in told
    assert json.loads((tmp_path / "f.json").read_text())["rayon"]["phr@10"] == 1.0


def test_too_few_customers_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Nothing can be judged: too few customers"):
        call_command("evaluate_targeting", **_files(tmp_path, customers=2))


def test_a_product_of_no_history_counts_in_the_truth_and_is_found_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps({"u": [["x"], ["x", "y"]], "gone": [["x"]], "empty": []}))
    (tmp_path / "f.json").write_text(json.dumps({"u": ["y", "new", "new"], "empty": ["x"], "nobody": ["x"]}))
    known = read(tmp_path / "h.json", tmp_path / "f.json")
    assert (known.names, known.truths, known.histories.products) == (("u",), ((1, 2),), 2)


def _journey(folder: Path) -> None:
    """Write a small journey: households that use coupons at the till redeem, others hardly ever."""
    chance = random.Random(2)
    starts = [date(2017, 2, 1) + timedelta(days=30 * number) for number in range(10)]
    tables: dict[str, list[dict[str, Any]]] = {
        "campaign_descriptions": [
            {
                "campaign_id": number,
                "campaign_type": f"Type {'ABC'[number % 3]}",
                "start_date": start,
                "end_date": start + timedelta(days=25),
            }
            for number, start in enumerate(starts)
        ],
        "products": [
            {"product_id": number, "manufacturer_id": number % 5, "product_category": f"c{number % 3}"}
            for number in range(30)
        ],
        "coupons": [
            {"coupon_upc": f"k{number}", "product_id": product, "campaign_id": number}
            for number in range(10)
            for product in range(number, 30, 10)
        ],
        "campaigns": [],
        "coupon_redemptions": [],
        "transactions_sample": [],
    }
    for household in range(120):
        keen = household % 4 == 0
        for number, start in enumerate(starts):
            tables["campaigns"].append({"campaign_id": number, "household_id": household})
            if chance.random() < (0.5 if keen else 0.04):
                redemption = {"household_id": household, "coupon_upc": f"k{number}", "campaign_id": number}
                redemption["redemption_date"] = start + timedelta(days=5)
                tables["coupon_redemptions"].append(redemption)
        for _ in range(12):
            tables["transactions_sample"].append(
                {
                    "household_id": household,
                    "product_id": chance.randrange(30),
                    "coupon_disc": 0.5 if keen and chance.random() < 0.4 else 0.0,
                    "retail_disc": 0.0,
                    "transaction_timestamp": date(2017, 1, 2) + timedelta(days=chance.randrange(300)),
                }
            )
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def test_the_response_is_judged_on_later_campaigns_beside_the_counters(tmp_path: Path, capsys: Any) -> None:
    _journey(tmp_path)
    call_command("evaluate_response", data=tmp_path, split=date(2017, 8, 1), json=tmp_path / "figures.json")
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert (figures["trained"], figures["pairs"]) == (840, 360)
    assert figures["aucs"]["model"] > 0.8
    assert figures["aucs"]["campaign kind"] == pytest.approx(0.5, abs=0.1)
    low, high = figures["interval"]
    assert low < figures["aucs"]["model"] < high
    # the purchases end late in October, the last campaign on 23 November
    assert sum(one["rows"] for one in figures["calibration"]) == figures["over"] == 240
    assert figures["cut_off"]["rows"] == 120
    low, _, high = (figures["over_gain"][place] for place in (1, 0, 2))
    assert low < figures["over_gain"][0] < high
    assert figures["calibration_error"] == pytest.approx(
        sum(one["rows"] * abs(one["said"] - one["came"]) for one in figures["calibration"]) / 240
    )
    out = capsys.readouterr().out
    assert "who tells" in out
    assert "Of 240 pairs whose campaign had ended when the files do" in out


def test_what_happens_after_the_start_changes_nothing_that_is_known_before(tmp_path: Path) -> None:
    from offers.evaluation.journey import pairs_of, read_journey

    _journey(tmp_path)
    before = pairs_of(read_journey(tmp_path))
    lines = (tmp_path / "transactions_sample.csv").read_text().splitlines()
    later = [
        line.replace(",0.0,0.0,", ",0.9,0.9,") if line > "" and line[-10:] >= "2017-08-01" else line
        for line in lines
    ]
    (tmp_path / "transactions_sample.csv").write_text("\n".join(later))
    after = pairs_of(read_journey(tmp_path))
    early = before.start <= date(2017, 8, 1).toordinal()
    assert (before.features[early] == after.features[early]).all()
    assert not (before.features[~early] == after.features[~early]).all()


def test_a_folder_without_the_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"coupons\.csv is not in|products\.csv is not in"):
        call_command("evaluate_response", data=tmp_path)
