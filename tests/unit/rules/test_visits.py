"""Visits follow from what was observed, in whatever order it came in."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offers.rules.visits import (
    CannotAdvance,
    Kind,
    Observation,
    PlaceKey,
    Transition,
    VisitParams,
    VisitState,
    advance,
    new_transitions,
    next_deadline,
    visits_of,
)

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EMPTY = VisitState(store="S1")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def fix(at: float, p: float | None, aisle: str | None = None, name: str = "") -> Observation:
    return Observation(
        occurred_at=after(at), event_id=name or f"e{at:07.1f}", kind=Kind.FIX, p_inside=p, aisle=aisle
    )


def phone(kind: Kind, at: float, p: float | None = None, aisle: str | None = None) -> Observation:
    return Observation(occurred_at=after(at), event_id=f"e{at:07.1f}", kind=kind, p_inside=p, aisle=aisle)


def beacon(at: float, aisle: str, rssi: int | None = -60) -> Observation:
    return Observation(
        occurred_at=after(at), event_id=f"e{at:07.1f}", kind=Kind.SIGHTING, aisle=aisle, rssi_dbm=rssi
    )


def told(transitions: tuple[Transition, ...]) -> list[str]:
    """Return steps as short words: "enter S1 0", "dwell dairy 15"."""
    return [
        f"{step.kind} {step.place.aisle or step.place.store} {(step.at - START).total_seconds():g}"
        for step in transitions
    ]


def story(*observations: Observation, until: float, params: VisitParams | None = None) -> list[str]:
    return told(advance(EMPTY, observations, until=after(until), params=params or VisitParams())[1])


@pytest.mark.parametrize(
    ("observations", "until", "expected"),
    [
        # hysteresis between 0.2 and 0.8
        ([fix(0, 0.79)], 10, []),
        ([fix(0, 0.8)], 10, ["enter S1 0"]),
        ([fix(0, 0.9), fix(10, 0.5), fix(20, 0.21)], 30, ["enter S1 0"]),
        ([fix(0, 0.9), fix(10, 0.2)], 30, ["enter S1 0", "exit S1 10"]),
        ([fix(0, 0.1), fix(10, None)], 30, []),
        # a short absence: the same visit goes on, without a second enter or dwell
        ([fix(0, 0.9), fix(10, 0.1), fix(600, 0.9)], 700, ["enter S1 0", "exit S1 10"]),
        ([fix(0, 0.9), fix(10, 0.1), fix(601, 0.9)], 700, ["enter S1 0", "exit S1 10", "enter S1 601"]),
        (
            [fix(0, 0.9), fix(130, 0.1), fix(400, 0.9), fix(900, 0.1)],
            950,
            ["enter S1 0", "dwell S1 120", "exit S1 130", "exit S1 900"],
        ),
        ([fix(0, 0.9), fix(10, 0.1), fix(400, 0.9)], 520, ["enter S1 0", "exit S1 10", "dwell S1 520"]),
        (
            [fix(0, 0.9), phone(Kind.EXIT, 10), fix(60, 0.9)],
            70,
            ["enter S1 0", "exit S1 10", "enter S1 60"],
        ),
        (
            [fix(0, 0.9), fix(10, 0.1), beacon(60, "dairy")],
            70,
            ["enter S1 0", "exit S1 10", "enter dairy 60"],
        ),
        # the phone's own word
        ([phone(Kind.ENTER, 0)], 10, ["enter S1 0"]),
        ([phone(Kind.ENTER, 0, p=0.5)], 10, ["enter S1 0"]),
        ([phone(Kind.ENTER, 0, p=0.49)], 10, []),
        ([phone(Kind.ENTER, 0), phone(Kind.ENTER, 5)], 10, ["enter S1 0"]),
        ([phone(Kind.ENTER, 0), phone(Kind.EXIT, 60, p=0.9)], 70, ["enter S1 0", "exit S1 60"]),
        ([phone(Kind.EXIT, 0)], 10, []),
        ([phone(Kind.DWELL, 0)], 10, ["enter S1 0", "dwell S1 0"]),
        ([phone(Kind.ENTER, 0), phone(Kind.DWELL, 60)], 70, ["enter S1 0"]),
        # dwell by the clock, not by the next fix
        ([fix(0, 0.9)], 119.9, ["enter S1 0"]),
        ([fix(0, 0.9)], 120, ["enter S1 0", "dwell S1 120"]),
        ([fix(0, 0.9), fix(119, 0.1)], 500, ["enter S1 0", "exit S1 119"]),
        ([fix(0, 0.9), fix(200, 0.9)], 200, ["enter S1 0", "dwell S1 120"]),
        # twenty minutes of silence end a store's visit
        ([fix(0, 0.9)], 1199, ["enter S1 0", "dwell S1 120"]),
        ([fix(0, 0.9)], 1200, ["enter S1 0", "dwell S1 120", "exit S1 1200"]),
        ([fix(0, 0.9), fix(600, 0.5)], 1700, ["enter S1 0", "dwell S1 120"]),
        ([fix(0, 0.9), fix(600, None)], 1200, ["enter S1 0", "dwell S1 120", "exit S1 1200"]),
    ],
)
def test_a_store_is_entered_dwelt_in_and_left(
    observations: list[Observation], until: float, expected: list[str]
) -> None:
    assert story(*observations, until=until) == expected


@pytest.mark.parametrize(
    ("observations", "until", "expected"),
    [
        # a lone sighting decides when it is loud, and opens the store's visit
        ([beacon(0, "dairy", -75)], 1, ["enter S1 0", "enter dairy 0"]),
        ([beacon(0, "dairy", -76)], 1, []),
        ([beacon(0, "dairy", None)], 1, ["enter S1 0", "enter dairy 0"]),
        # quiet ones need three within ten seconds, and not too quiet
        (
            [beacon(0, "dairy", -85), beacon(2, "dairy", -85), beacon(4, "dairy", -95)],
            5,
            ["enter S1 4", "enter dairy 4"],
        ),
        ([beacon(0, "dairy", -85), beacon(6, "dairy", -85), beacon(12, "dairy", -85)], 13, []),
        ([beacon(0, "dairy", -91), beacon(2, "dairy", -91), beacon(4, "dairy", -91)], 5, []),
        # dwell after 15 s, with a sighting in the last ten
        (
            [beacon(0, "dairy"), beacon(5, "dairy")],
            15,
            ["enter S1 0", "enter dairy 0", "dwell dairy 15"],
        ),
        ([beacon(0, "dairy"), beacon(4, "dairy")], 15, ["enter S1 0", "enter dairy 0"]),
        (
            [beacon(0, "dairy"), beacon(20, "dairy")],
            25,
            ["enter S1 0", "enter dairy 0", "dwell dairy 20"],
        ),
        # thirty seconds of silence end an aisle's visit, not the store's
        ([beacon(0, "dairy")], 29.9, ["enter S1 0", "enter dairy 0"]),
        ([beacon(0, "dairy")], 30, ["enter S1 0", "enter dairy 0", "exit dairy 30"]),
        (
            [beacon(0, "dairy"), beacon(30, "dairy")],
            31,
            ["enter S1 0", "enter dairy 0", "exit dairy 30", "enter dairy 30"],
        ),
        # a neighbouring aisle must be 6 dB louder while the first is still heard
        ([beacon(0, "dairy", -60), beacon(2, "wine", -55)], 3, ["enter S1 0", "enter dairy 0"]),
        (
            [beacon(0, "dairy", -60), beacon(2, "wine", -54)],
            3,
            ["enter S1 0", "enter dairy 0", "exit dairy 2", "enter wine 2"],
        ),
        (
            [beacon(0, "dairy", -50), beacon(10, "wine", -70)],
            11,
            ["enter S1 0", "enter dairy 0", "exit dairy 10", "enter wine 10"],
        ),
        (
            [beacon(0, "dairy", -50), beacon(2, "wine", None)],
            3,
            ["enter S1 0", "enter dairy 0", "exit dairy 2", "enter wine 2"],
        ),
        # a store's exit ends its aisle's visit
        (
            [beacon(0, "dairy"), phone(Kind.EXIT, 3)],
            60,
            ["enter S1 0", "enter dairy 0", "exit dairy 3", "exit S1 3"],
        ),
        # GPS under a roof does not overrule a beacon heard a moment ago
        ([beacon(0, "dairy"), fix(5, 0.0)], 6, ["enter S1 0", "enter dairy 0"]),
        (
            [beacon(0, "dairy"), fix(10, 0.0)],
            11,
            ["enter S1 0", "enter dairy 0", "exit dairy 10", "exit S1 10"],
        ),
        # a precise fix in an aisle's own area decides where no beacon does
        ([fix(0, 0.9, "wine")], 1, ["enter S1 0", "enter wine 0"]),
        ([beacon(0, "dairy"), fix(5, 0.9, "wine")], 6, ["enter S1 0", "enter dairy 0"]),
        (
            [fix(0, 0.9, "wine"), fix(5, 0.1, "wine")],
            6,
            ["enter S1 0", "enter wine 0", "exit wine 5"],
        ),
        ([phone(Kind.EXIT, 0, aisle="wine")], 1, []),
    ],
)
def test_an_aisle_is_decided_by_what_is_heard_there(
    observations: list[Observation], until: float, expected: list[str]
) -> None:
    assert story(*observations, until=until) == expected


def test_each_aisle_may_have_its_own_dwell() -> None:
    params = VisitParams(aisle_dwell_s_by_aisle={"dairy": 5})
    assert story(beacon(0, "dairy"), until=5, params=params)[-1] == "dwell dairy 5"


def test_a_lull_keeps_the_visit_in_memory_and_the_deadline_in_sight() -> None:
    state, _ = advance(EMPTY, [beacon(0, "dairy")], until=after(1))
    assert next_deadline(EMPTY) is None
    assert next_deadline(state) == after(15)
    state, _ = advance(state, [], until=after(15))
    assert next_deadline(state) == after(30)
    state, _ = advance(state, [], until=after(30))
    assert next_deadline(state) == after(120)
    assert [visit.place.aisle for visit in state.open_visits] == [None]


def test_steps_name_the_event_that_decided_them_or_none_for_a_deadline() -> None:
    _, steps = advance(EMPTY, [beacon(0, "dairy"), beacon(8, "dairy")], until=after(15))
    assert [step.event_id for step in steps] == ["e00000.0", "e00000.0", None]
    assert {step.store_entered_at for step in steps} == {after(0)}


def test_an_older_observation_asks_for_a_fold_from_the_beginning() -> None:
    state, _ = advance(EMPTY, [fix(10, 0.9)], until=after(20))
    with pytest.raises(CannotAdvance):
        advance(state, [fix(9, 0.9)], until=after(20))


def test_an_observation_from_before_a_settled_deadline_asks_for_a_fold_from_the_beginning() -> None:
    state, _ = advance(EMPTY, [fix(0, 0.9)], until=after(130))
    with pytest.raises(CannotAdvance):
        advance(state, [fix(119, 0.1)], until=after(131))
    assert told(advance(state, [fix(125, 0.1)], until=after(131))[1]) == ["exit S1 125"]


def test_a_place_entered_and_left_at_one_instant_is_not_entered_again_at_it() -> None:
    observations = [
        Observation(occurred_at=START, event_id=name, kind=kind)
        for name, kind in [("a", Kind.ENTER), ("b", Kind.EXIT), ("c", Kind.ENTER)]
    ]
    assert story(*observations, until=1) == ["enter S1 0", "exit S1 0"]
    assert story(*observations, fix(1, 0.9), until=1) == ["enter S1 0", "exit S1 0", "enter S1 1"]


def test_a_late_event_that_moves_the_start_of_a_visit_enters_nothing_anew() -> None:
    known = advance(EMPTY, [fix(60, 0.9)], until=after(185))[1]
    anew = advance(EMPTY, [fix(60, 0.9), fix(0, 0.9)], until=after(185))[1]
    assert told(known) == ["enter S1 60", "dwell S1 180"]
    assert told(anew) == ["enter S1 0", "dwell S1 120"]
    assert new_transitions(before=known, after=anew) == ()


def test_a_late_event_that_tells_of_another_visit_is_new() -> None:
    known = advance(EMPTY, [fix(600, 0.9)], until=after(610))[1]
    anew = advance(EMPTY, [fix(600, 0.9), fix(0, 0.9), phone(Kind.EXIT, 60)], until=after(610))[1]
    assert told(new_transitions(before=known, after=anew)) == ["enter S1 0", "exit S1 60"]


AISLES = st.sampled_from(["dairy", "wine", 7])
SECONDS = st.integers(0, 400).map(lambda n: n / 2)
ONE = st.one_of(
    st.builds(
        Observation,
        occurred_at=SECONDS.map(after),
        event_id=st.uuids().map(str),
        kind=st.sampled_from([Kind.FIX, Kind.ENTER, Kind.EXIT, Kind.DWELL]),
        aisle=st.one_of(st.none(), st.none(), AISLES),
        p_inside=st.one_of(st.none(), st.floats(0, 1)),
    ),
    st.builds(
        Observation,
        occurred_at=SECONDS.map(after),
        event_id=st.uuids().map(str),
        kind=st.just(Kind.SIGHTING),
        aisle=AISLES,
        rssi_dbm=st.one_of(st.none(), st.integers(-99, -40)),
    ),
)
WALK = st.lists(ONE, max_size=40, unique_by=lambda observation: observation.order)
PARAMS = VisitParams(store_silence_s=60, store_dwell_s=40)
END = after(240)


@given(walk=WALK, data=st.data())
def test_any_order_of_arrival_gives_the_same_visits(walk: list[Observation], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(walk))
    again = shuffled + shuffled[:3]
    assert advance(EMPTY, again, until=END, params=PARAMS) == advance(EMPTY, walk, until=END, params=PARAMS)


@given(walk=WALK, data=st.data())
def test_any_partition_of_a_walk_gives_the_same_visits(walk: list[Observation], data: st.DataObject) -> None:
    ordered = sorted(walk, key=lambda observation: observation.order)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(ordered)), max_size=6)))
    state, steps = EMPTY, ()
    for begin, end in zip([0, *cuts], [*cuts, len(ordered)], strict=True):
        chunk = ordered[begin:end]
        following = ordered[end].occurred_at if end < len(ordered) else END
        earliest = chunk[-1].occurred_at if chunk else START
        share = data.draw(st.floats(0, 1))
        until = earliest + max(following - earliest, timedelta(0)) * share
        state = msgspec.json.decode(msgspec.json.encode(state), type=VisitState)
        state, more = advance(state, chunk, until=until, params=PARAMS)
        steps += more
    state, more = advance(state, [], until=END, params=PARAMS)
    assert (state, steps + more) == advance(EMPTY, walk, until=END, params=PARAMS)


@given(walk=WALK)
def test_steps_come_in_time_and_visits_are_whole(walk: list[Observation]) -> None:
    state, steps = advance(EMPTY, walk, until=END, params=PARAMS)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    open_places: dict[object, datetime] = {}
    left: dict[object, datetime] = {}

    def go_on(place: object, entered_at: datetime) -> None:
        """A store's visit goes on after a short absence: there is no step for that."""
        if left.get(place) == entered_at and place not in open_places:
            open_places[place] = left.pop(place)

    for step in steps:
        go_on(PlaceKey(step.place.store), step.store_entered_at)
        if step.kind == "enter":
            assert step.place not in open_places
            open_places[step.place] = step.at
        elif step.kind == "dwell":
            assert open_places[step.place] == step.entered_at
        else:
            assert open_places.pop(step.place) == step.entered_at
            if step.place.aisle is None:
                left[step.place] = step.entered_at
        if step.place.aisle is not None and step.kind != "exit":
            assert any(place.aisle is None for place in open_places)
        assert sum(place.aisle is not None for place in open_places) <= 1
    for visit in state.open_visits:
        go_on(visit.place, visit.entered_at)
    assert set(open_places) == {visit.place for visit in state.open_visits}
    visits = visits_of(steps)
    assert len({(visit.place, visit.entered_at) for visit in visits}) == len(visits)
    assert sum(step.kind == "enter" for step in steps) == len(visits)
    assert new_transitions(before=steps, after=steps) == ()
