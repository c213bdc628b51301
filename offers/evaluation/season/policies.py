"""The three ways that the engine has to beat: silence, a message to all, a message at every door."""

from dataclasses import dataclass, field

from offers.evaluation.season.values import Told
from offers.evaluation.season.walking import Shelf, surplus_line
from offers.evaluation.season.world import World

DEPTH = 0.3  # the markdown that a shop puts on by hand


@dataclass
class NoPush:
    """Nobody is told anything."""

    world: World
    gone: set[int] = field(default_factory=set)

    def opens(self, *, day: int, shelf: Shelf) -> dict[int, Told]:
        return {}

    def enters(self, *, shopper: int, minute: int, shelf: Shelf) -> Told | None:
        return None

    def bought(self, *, shopper: int, line: int, minute: int) -> None:
        """Nothing is learned."""

    def left(self, *, shopper: int) -> None:
        self.gone.add(shopper)

    def fullest(self, store: int, shelf: Shelf) -> Told | None:
        """Return the message about the line with the largest surplus of a store now; None without any surplus."""
        expected = (self.world.expected_an_hour[store] * self.world.town.window_min / 60).tolist()
        line = surplus_line(shelf[store], expected)
        return Told(line=line, depth_share=DEPTH) if shelf[store][line] > expected[line] else None


@dataclass
class Blast(NoPush):
    """Everybody is told at 16:00, wherever they are, of what their store has too much of."""

    def opens(self, *, day: int, shelf: Shelf) -> dict[int, Told]:
        messages = [self.fullest(store, shelf) for store in range(self.world.town.stores)]
        stores = self.world.shoppers.store.tolist()
        return {
            shopper: Told(line=message.line, depth_share=message.depth_share, at_home=True)
            for shopper, store in enumerate(stores)
            if shopper not in self.gone and (message := messages[store]) is not None
        }


@dataclass
class Geofence(NoPush):
    """Whoever enters a store is told of what it had too much of at 16:00, each time, while there is any."""

    today: list[Told | None] = field(default_factory=list)  # by store

    def opens(self, *, day: int, shelf: Shelf) -> dict[int, Told]:
        self.today = [self.fullest(store, shelf) for store in range(self.world.town.stores)]
        return {}

    def enters(self, *, shopper: int, minute: int, shelf: Shelf) -> Told | None:
        store = int(self.world.shoppers.store[shopper])
        message = self.today[store]
        if shopper in self.gone or message is None or shelf[store][message.line] <= 0:
            return None
        return message
