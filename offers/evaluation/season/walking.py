"""A season under one policy: everybody walks, the shelf decides, the shop counts."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

from offers.evaluation.season.response import COMES_FOR_IT, buy_chance, leave_chance, pass_chance
from offers.evaluation.season.values import Day, Outcome, Told
from offers.evaluation.season.world import World

Shelf = list[list[int]]  # units left by store and line
MINUTES_A_DAY = 1440


class Policy(Protocol):
    """Who is told what. All are asked in the order of time, and see the shelf as it is."""

    def opens(self, *, day: int, shelf: Shelf) -> dict[int, Told]:
        """Return whom to tell at home at 16:00, by shopper."""

    def enters(self, *, shopper: int, minute: int, shelf: Shelf) -> Told | None:
        """Return what to tell somebody who enters their store."""

    def bought(self, *, shopper: int, line: int, minute: int) -> None:
        """Hear that somebody who was told bought it at their price."""

    def left(self, *, shopper: int) -> None:
        """Hear that somebody opted out."""


class _Season:
    def __init__(self, world: World, policy: Policy) -> None:
        self.world = world
        self.policy = policy
        self.outcome = Outcome()
        self.sent: defaultdict[int, list[int]] = defaultdict(list)  # minutes of messages, by shopper
        self.gone: set[int] = set()
        self.shelf: Shelf = []

    def walk(self) -> Outcome:
        for number, day in enumerate(self.world.days):
            self._day(number, day)
        return self.outcome

    def _day(self, number: int, day: Day) -> None:
        self.shelf = day.stock.tolist()
        costs = [line.cost_minor for line in self.world.lines]
        self.outcome.delivered += int(day.stock.sum())
        self.outcome.cost_minor += float((day.stock * costs).sum())
        told = {
            shopper: message
            for shopper, message in self.policy.opens(day=number, shelf=self.shelf).items()
            if self._send(number, day, shopper=shopper, message=message, minute=0)
        }
        strangers = iter([*day.strangers, (self.world.town.window_min + 1, 0, 0)])
        minute, store, line = next(strangers)
        for visit, (shopper, at) in enumerate(zip(day.visitor.tolist(), day.minute.tolist(), strict=True)):
            while minute <= at:
                self._sell(store, line, price=self.world.lines[line].price_minor)
                minute, store, line = next(strangers)
            self._visit(number, day, visit, shopper, at, told=told.get(shopper))
        while minute <= self.world.town.window_min:
            self._sell(store, line, price=self.world.lines[line].price_minor)
            minute, store, line = next(strangers)
        self._brought(day, told)
        self.outcome.wasted += sum(map(sum, self.shelf))

    def _visit(self, number: int, day: Day, visit: int, shopper: int, at: int, *, told: Told | None) -> None:
        if told is None:
            message = self.policy.enters(shopper=shopper, minute=at, shelf=self.shelf)
            told = self._sent(number, day, shopper=shopper, message=message, minute=at)
        affinity = self.world.shoppers.affinity[shopper]
        for line in range(len(self.world.lines)):
            about = told if told is not None and told.line == line else None
            if day.passes[visit, line] >= pass_chance(float(affinity[line]), is_told=about is not None):
                continue
            self._decide(shopper, line, wants=float(day.wants[visit, line]), about=about, minute=at)

    def _decide(self, shopper: int, line: int, *, wants: float, about: Told | None, minute: int) -> None:
        """Let somebody stand before the shelf."""
        shoppers, goods = self.world.shoppers, self.world.lines[line]
        if wants >= buy_chance(shoppers, shopper=shopper, line=line, told=about):
            return
        depth = about.depth_share if about is not None else 0.0
        if not self._sell(int(shoppers.store[shopper]), line, price=goods.price_minor * (1 - depth)):
            return
        if about is not None:
            self.outcome.sold_by_message += 1
            if wants < shoppers.buys_alone[shopper, line]:
                self.outcome.would_have_bought += 1
                self.outcome.given_away_minor += goods.price_minor * depth
            self.policy.bought(shopper=shopper, line=line, minute=minute)

    def _sell(self, store: int, line: int, *, price: float) -> bool:
        if self.shelf[store][line] <= 0:
            return False
        self.shelf[store][line] -= 1
        self.outcome.sold += 1
        self.outcome.revenue_minor += price
        return True

    def _brought(self, day: Day, told: dict[int, Told]) -> None:
        """Let those come at the end of the day who would not have come without a message."""
        came = set(day.visitor.tolist())
        for shopper, message in told.items():
            if shopper not in came and day.comes_for_it[shopper] < COMES_FOR_IT:
                wants = float(day.comes_for_it[shopper]) / COMES_FOR_IT
                minute = self.world.town.window_min
                self._decide(shopper, message.line, wants=wants, about=message, minute=minute)

    def _sent(self, number: int, day: Day, *, shopper: int, message: Told | None, minute: int) -> Told | None:
        if message is None or not self._send(number, day, shopper=shopper, message=message, minute=minute):
            return None
        return message

    def _send(self, number: int, day: Day, *, shopper: int, message: Told, minute: int) -> bool:
        """Send a message to somebody who has not opted out; they may after reading it."""
        if shopper in self.gone:
            return False
        at = number * MINUTES_A_DAY + minute
        recent = [sent for sent in self.sent[shopper] if at - sent < 7 * MINUTES_A_DAY]
        self.sent[shopper] = [*recent, at]
        self.outcome.pushes += 1
        affinity = float(self.world.shoppers.affinity[shopper, message.line])
        if day.leaves[shopper] < leave_chance(affinity=affinity, messages_in_7_days=len(recent)):
            self.gone.add(shopper)
            self.outcome.opt_outs += 1
            self.policy.left(shopper=shopper)
        return True


def walk_season(world: World, policy: Policy) -> Outcome:
    """Return what the policy came to; the same world for every policy."""
    return _Season(world, policy).walk()


def surplus_line(shelf: Sequence[int], expected: Sequence[float]) -> int:
    """Return the line with the most units beyond what is expected to be bought anyway."""
    return max(range(len(shelf)), key=lambda line: (shelf[line] - expected[line], -line))
