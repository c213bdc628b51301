"""All policies through the same seasons, and the engine with a model that is wrong by a factor of two."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from offers.evaluation.season.engine import Engine
from offers.evaluation.season.policies import Blast, Geofence, NoPush
from offers.evaluation.season.values import Outcome, Town, Truth
from offers.evaluation.season.walking import Policy, walk_season
from offers.evaluation.season.world import World, draw_world

WRONG: Mapping[str, Truth] = {
    "buys anyway half as often": Truth(buys_anyway=0.5),
    "buys anyway twice as often": Truth(buys_anyway=2.0),
    "half as price-sensitive": Truth(elasticity=0.5),
    "twice as price-sensitive": Truth(elasticity=2.0),
    "a message does half": Truth(being_told=0.5),
    "a message does twice": Truth(being_told=2.0),
    "half the demand expected": Truth(demand=0.5),
    "twice the demand expected": Truth(demand=2.0),
    "all of the response half": Truth(elasticity=0.5, being_told=0.5),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One policy, a mean over seeds. Money in euros."""

    name: str
    margin: float
    more_than_silence: float
    least_more: float  # in the worst of the seeds
    wasted: float  # units
    wasted_share: float  # of what was on the shelf at 16:00
    pushes_per_shopper: float
    opt_outs: float
    sold_by_message: float
    bought_anyway: float  # of those
    given_away: float


def compare_policies(*, town: Town, seeds: Sequence[int], params: Mapping[str, Any]) -> list[Row]:
    """Return one row a policy: silence, a message to all, a message at every door, this engine."""
    worlds = [draw_world(town=town, truth=Truth(), seed=seed) for seed in seeds]
    silence = [walk_season(world, NoPush(world=world)) for world in worlds]
    rows = [_row("no push", silence, silence=silence, town=town)]
    for name, policy in _policies(params).items():
        outcomes = [walk_season(world, policy(world)) for world in worlds]
        rows.append(_row(name, outcomes, silence=silence, town=town))
    return rows


def compare_wrong_models(
    *, town: Town, seeds: Sequence[int], params: Mapping[str, Any]
) -> Iterator[tuple[str, Row, Row]]:
    """Yield (what shoppers are really like, geofence, engine) for each way in which the engine's model is wrong."""
    policies = _policies(params)
    for name, truth in WRONG.items():
        worlds = [draw_world(town=town, truth=truth, seed=seed) for seed in seeds]
        silence = [walk_season(world, NoPush(world=world)) for world in worlds]
        geofence, engine = (
            _row(
                one,
                [walk_season(world, policies[one](world)) for world in worlds],
                silence=silence,
                town=town,
            )
            for one in ("geofence", "engine")
        )
        yield name, geofence, engine


def _policies(params: Mapping[str, Any]) -> dict[str, Callable[[World], Policy]]:
    return {
        "blast": lambda world: Blast(world=world),
        "geofence": lambda world: Geofence(world=world),
        "engine": lambda world: Engine(world=world, params=params),
    }


def _row(name: str, outcomes: Sequence[Outcome], *, silence: Sequence[Outcome], town: Town) -> Row:
    more = [
        (one.margin_minor - quiet.margin_minor) / 100 for one, quiet in zip(outcomes, silence, strict=True)
    ]
    return Row(
        name=name,
        margin=fmean(one.margin_minor for one in outcomes) / 100,
        more_than_silence=fmean(more),
        least_more=min(more),
        wasted=fmean(one.wasted for one in outcomes),
        wasted_share=fmean(one.wasted / one.delivered for one in outcomes),
        pushes_per_shopper=fmean(one.pushes for one in outcomes) / town.shoppers,
        opt_outs=fmean(one.opt_outs for one in outcomes),
        sold_by_message=fmean(one.sold_by_message for one in outcomes),
        bought_anyway=fmean(one.would_have_bought for one in outcomes),
        given_away=fmean(one.given_away_minor for one in outcomes) / 100,
    )


COLUMNS: Sequence[tuple[str, Callable[[Row], str]]] = (
    ("policy", lambda row: row.name),
    ("margin €", lambda row: f"{row.margin:,.0f}"),
    ("more than silence €", lambda row: f"{row.more_than_silence:+,.0f}"),
    ("wasted", lambda row: f"{row.wasted:,.0f} ({100 * row.wasted_share:.0f} %)"),
    ("pushes per shopper", lambda row: f"{row.pushes_per_shopper:.2f}"),
    ("opt-outs", lambda row: f"{row.opt_outs:,.0f}"),
    ("sold by message", lambda row: f"{row.sold_by_message:,.0f}"),
    ("of these anyway", lambda row: f"{row.bought_anyway:,.0f}"),
    ("given away €", lambda row: f"{row.given_away:,.0f}"),
)
WRONG_COLUMNS = (
    "shoppers really",
    "geofence €",
    "engine €",
    "worst seed €",
    "pushes: geofence",
    "pushes: engine",
)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table that also reads well as it is."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *rest = (
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "|" + "|".join(
        "-" * (width + 1) + ("-" if column == 0 else ":") for column, width in enumerate(widths)
    )
    return [line(header), rule + "|", *map(line, rows)]


def policy_table(rows: Sequence[Row]) -> list[str]:
    return table([name for name, _ in COLUMNS], [[shown(row) for _, shown in COLUMNS] for row in rows])


def wrong_table(found: Sequence[tuple[str, Row, Row]]) -> list[str]:
    """Return the table of wrong models; margins are those above silence."""
    return table(
        WRONG_COLUMNS,
        [
            [
                name,
                f"{geofence.more_than_silence:+,.0f}",
                f"{engine.more_than_silence:+,.0f}",
                f"{engine.least_more:+,.0f}",
                f"{geofence.pushes_per_shopper:.2f}",
                f"{engine.pushes_per_shopper:.2f}",
            ]
            for name, geofence, engine in found
        ],
    )
