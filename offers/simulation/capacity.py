"""Units as a simulation sees them: asked for and counted, never locked, never taken."""

from collections import Counter
from collections.abc import Mapping

from django.db.models import F

from offers.models import Capacity

LEFT = F("units") - F("claimed")


class VirtualClaims:
    """Stands in for the claim of offers.locks: what this simulation gave away counts, for itself alone."""

    def __init__(self) -> None:
        self._given: Counter[int] = Counter()

    def claim_units(self, wanted: Mapping[int, int]) -> dict[int, int]:
        """Return how many of the wanted units there are, by offer id; an offer without a limit has them all.

        A deal gives no more than what is left of its wave.
        """
        rows = Capacity.objects.filter(offer_id__in=wanted).values_list("offer_id", "wave_left", LEFT)
        left = {
            offer_id: min(limits)
            for offer_id, *both in rows
            if (limits := [limit for limit in both if limit is not None])
        }
        granted = {
            offer_id: min(asked, max(0, left[offer_id] - self._given[offer_id]))
            if offer_id in left
            else asked
            for offer_id, asked in wanted.items()
        }
        self._given.update(granted)
        return granted

    def return_units(self, units: Mapping[int, int]) -> None:
        self._given.subtract(units)
