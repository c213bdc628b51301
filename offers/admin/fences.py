"""Whether a drawn area can be the fence of a store or an aisle."""

import math

from django.contrib.gis.geos import Polygon

from customers.admin.words import say

MAX_POSITIONS = 1_000
MAX_EXTENT_M = 20_000.0
METRES_PER_DEGREE = 111_320.0


def reason_against_area(area: Polygon) -> str | None:
    """Return what to do about an area that cannot be a fence; None for a good one."""
    if not area.valid or area.area == 0:
        return say(
            en="The line crosses itself or encloses nothing: draw it again.",
            fr="Le tracé se croise ou n’enferme rien : redessinez-le.",
        )
    if area.num_coords > MAX_POSITIONS:
        return say(en="Too many corners: draw it simpler.", fr="Trop de sommets : simplifiez le tracé.")
    west, south, east, north = area.extent
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        return say(
            en="The area leaves the map: draw it again.", fr="La zone sort de la carte : redessinez-la."
        )
    width = (east - west) * METRES_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    if math.hypot(width, (north - south) * METRES_PER_DEGREE) > MAX_EXTENT_M:
        return say(
            en="The area is over 20 km across: draw it smaller.", fr="La zone dépasse 20 km : réduisez-la."
        )
    return None
