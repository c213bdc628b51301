"""Next-basket methods on histories with known next baskets: which files, which customers tune, which are reported."""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from offers.rules.holdout import bucket
from offers.rules.next_basket import baselines
from offers.rules.next_basket.features import Candidates, blend, candidates_of
from offers.rules.next_basket.highest import best
from offers.rules.next_basket.histories import Floats, Histories, Ints, histories_of
from offers.rules.next_basket.measures import CUTS, measured
from offers.rules.next_basket.network import EPOCHS
from offers.rules.next_basket.panel import panel_of
from offers.rules.next_basket.ranking import BLOCK, examples_of, first, learned

TUNING_SALT = "next-basket tuning"
TUNING_BUCKETS = 1_000  # of 10,000: a tenth of the customers chooses the settings, and is not reported
SEED = 20_260_101


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What tuning may choose."""

    epochs: int
    by_size: float  # see offers.rules.next_basket.ranking.learned

    def __str__(self) -> str:
        return f"epochs {self.epochs}, by_size {self.by_size:g}"


FIXED = Setting(epochs=EPOCHS, by_size=0.5)
SETTINGS = (
    Setting(epochs=6, by_size=0.0),
    Setting(epochs=EPOCHS, by_size=0.0),
    Setting(epochs=6, by_size=0.5),
    FIXED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Customers with their histories and their next baskets."""

    names: tuple[str, ...]
    histories: Histories
    truths: tuple[tuple[int, ...], ...]  # product numbers; those of no history are told apart from all others

    @property
    def tunes(self) -> np.ndarray:
        """Return which customers choose the settings: by the hash of their name alone."""
        return np.array([bucket(name, TUNING_SALT) < TUNING_BUCKETS for name in self.names], dtype=bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    figures: Mapping[str, Mapping[str, float]]  # by method
    reported: int  # customers
    tuning: int  # customers that chose the setting, and are not reported
    setting: Setting
    tried: Mapping[str, Mapping[str, float]]  # by setting, on the customers that tune


def read(history: Path, future: Path) -> Known:
    """Return what two JSON files (.gz or not) tell: {customer: [[product, …], …]} and {customer: [product, …]}.

    Customers of only one of the files, or without a basket in either, are left out.
    """
    baskets, nexts = _json(history), _json(future)
    names = tuple(name for name, own in baskets.items() if own and nexts.get(name))
    numbers: dict[object, int] = {}
    for name in names:
        for basket in baskets[name]:
            for product in basket:
                numbers.setdefault(product, len(numbers))
    products = len(numbers)
    own = [[[numbers[product] for product in basket] for basket in baskets[name]] for name in names]
    truths = tuple(
        tuple(dict.fromkeys(numbers.setdefault(product, len(numbers)) for product in nexts[name]))
        for name in names
    )
    return Known(names=names, histories=histories_of(own, products=products), truths=truths)


def evaluate(
    known: Known, *, tune: bool = True, said: Callable[[str], object] = lambda line: None
) -> Evaluated:
    """Return the figures of every method.

    The ranking learns from the histories alone: from each customer's last known basket and those before it. With
    `tune`, a tenth of the customers, chosen by hash, tells by their next baskets which of SETTINGS is used, and the
    figures are those of the others; without, FIXED is used and everybody is reported. Raises ValueError without enough
    customers.
    """
    tunes = known.tunes if tune else np.zeros(len(known.names), dtype=bool)
    if tune and not 0 < tunes.sum() < len(tunes):
        raise ValueError("too few customers to tune with some and report on others")
    settings = SETTINGS if tune else (FIXED,)
    ranked, tried = _learned_rankings(known, settings=settings, tunes=tunes, said=said)
    chosen = max(settings, key=lambda one: tried[one]["recall@10"] + tried[one]["ndcg@10"] if tune else 0.0)
    methods: dict[str, Sequence[Ints]] = {"rayon": ranked[chosen]}
    said("the methods to compare with")
    methods["blend"] = _blended(known.histories)
    for name in baselines.METHODS:
        methods[name] = baselines.ranked(name, known.histories, count=max(CUTS))
    return Evaluated(
        figures={name: _measured(known, own, ~tunes) for name, own in methods.items()},
        reported=int((~tunes).sum()),
        tuning=int(tunes.sum()),
        setting=chosen,
        tried={str(one): figures for one, figures in tried.items()} if tune else {},
    )


def _learned_rankings(
    known: Known, *, settings: Sequence[Setting], tunes: np.ndarray, said: Callable[[str], object]
) -> tuple[dict[Setting, Sequence[Ints]], dict[Setting, dict[str, float]]]:
    """Return the ranking under each setting, and what the tuning customers make of it."""
    said("examples from the last known baskets")
    examples = examples_of(known.histories, seed=SEED)
    said("candidates for the next baskets")
    everybody = _candidates(known.histories)
    ranked: dict[Setting, Sequence[Ints]] = {}
    for setting in settings:
        said(f"learning, {setting}")
        network = learned(examples, seed=SEED, epochs=setting.epochs, by_size=setting.by_size)
        ranked[setting] = [
            products
            for found in everybody
            for products in _top(found, network.logits(found.features).astype(np.float64))
        ]
    return ranked, {setting: _measured(known, own, tunes) for setting, own in ranked.items()}


def _candidates(histories: Histories) -> list[Candidates]:
    panel = panel_of(histories)
    return [
        candidates_of(panel, histories.block(start, stop), own=np.arange(start, stop))
        for start, stop in _blocks(histories)
    ]


def _blended(histories: Histories) -> list[Ints]:
    panel = panel_of(histories)
    return [
        products
        for start, stop in _blocks(histories)
        for products in best(
            blend(panel, histories.block(start, stop), own=np.arange(start, stop)), max(CUTS)
        )
    ]


def _blocks(histories: Histories) -> list[tuple[int, int]]:
    starts = range(0, histories.customers, BLOCK)
    return [(start, min(start + BLOCK, histories.customers)) for start in starts]


def _top(found: Candidates, logits: Floats) -> list[Ints]:
    chosen = first(found, logits, count=max(CUTS))
    begins = np.searchsorted(found.customer[chosen], np.arange(1, found.customers))
    return np.split(found.product[chosen], begins)


def _measured(known: Known, ranked: Sequence[Ints], mask: np.ndarray) -> dict[str, float]:
    kept = np.flatnonzero(mask).tolist()
    return measured([ranked[one] for one in kept], [known.truths[one] for one in kept])


def _json(path: Path) -> dict[str, list]:
    content = path.read_bytes()
    found: dict[str, list] = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    return found
