"""Which place a geofence's id or a beacon's triple stands for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from offers.flow import Event, Place, Sighting

Triple = tuple[str, int, int]

_GEOFENCE = re.compile(r"G([SA])([1-9][0-9]{0,17})")


@dataclass(frozen=True, kw_only=True)
class Places:
    by_geofence: Mapping[str, Place]
    by_beacon: Mapping[Triple, Place]

    def of(self, event: Event) -> Place | None:
        """Return the place that the event names; None for a fix."""
        if event.beacon is not None:
            return self.by_beacon[triple(event.beacon)]
        return self.by_geofence[event.geofence] if event.geofence is not None else None


def triple(sighting: Sighting) -> Triple:
    """Return what names a beacon: UUID, major, minor."""
    return (sighting.uuid, sighting.major, sighting.minor)


def geofence_id(*, kind: Literal["store", "aisle"], row_id: int) -> str:
    """Return the name under which phones know a fence: "GS12" is store 12, "GA7" is aisle 7."""
    return f"G{'S' if kind == 'store' else 'A'}{row_id}"


def parse_geofence(text: str) -> tuple[Literal["store", "aisle"], int] | None:
    """Return the kind and row of a fence's name; None if it is no such name."""
    found = _GEOFENCE.fullmatch(text)
    return ("store" if found[1] == "S" else "aisle", int(found[2])) if found else None
