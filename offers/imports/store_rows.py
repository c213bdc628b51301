"""A store from OpenStreetMap's tags and a geometry: pure, without database or network."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from offers.imports import fields
from offers.imports.features import Feature
from offers.imports.rows import Row
from offers.imports.shapes import Place, place_of, point
from offers.imports.values import BadValue, Given, Refusal, Remark, refuse
from offers.rules import opening_hours

MAX_HOURS_CHARS = 500
MAX_RADIUS_M = 10_000.0
NAME_TAGS = ("name", "brand", "operator")  # the first that is there
ZONE_TAGS = ("time_zone", "timezone")
ID_TAGS = ("osm", "@id", "osm_id", "id")  # OpenStreetMap's own id, as exports spell it
ADDRESS_TAGS = ("address", "addr:full", "addr:street", "addr:place", "addr:city", "addr:postcode")
CSV_NEEDS = "A file of stores needs a ref (or osm, @id, osm_id, id), and lat and lon or an address."


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDefaults:
    """What holds where a line does not say it."""

    radius_m: float
    time_zone: str  # IANA name


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreGiven:
    ref: str
    name: str
    place: Place | None  # None: only an address is known
    radius_m: float  # of the circle, where the place is a point
    time_zone: str
    opening_hours: str  # "": unknown
    address: str


def stores_from_features(
    features: Iterable[Feature | Refusal], *, defaults: StoreDefaults
) -> Iterator[Given[StoreGiven] | Refusal]:
    for feature in features:
        if isinstance(feature, Refusal):
            yield feature
        else:
            tags = {**feature.tags, "id": feature.tags.get("id") or feature.id}
            yield _store(line=feature.number, tags=tags, geometry=feature.geometry, defaults=defaults)


def stores_from_rows(
    rows: Iterable[Row | Refusal], *, defaults: StoreDefaults
) -> Iterator[Given[StoreGiven] | Refusal]:
    for row in rows:
        if isinstance(row, Refusal):
            yield row
        else:
            yield _store(line=row.line, tags=row.values, geometry=None, defaults=defaults)


def lacks_columns(columns: Iterable[str]) -> bool:
    """Whether no line of a file with these columns could be a store."""
    had = set(columns)
    has_key = bool(had & {"ref", *ID_TAGS})
    return not has_key or not ({"lat", "lon"} <= had or had & set(ADDRESS_TAGS))


def _store(
    *, line: int, tags: Mapping[str, str], geometry: dict[str, Any] | None, defaults: StoreDefaults
) -> Given[StoreGiven] | Refusal:
    key = ""
    notes: list[Remark] = []

    def note(code: str, message: str) -> None:
        notes.append(Remark(line=line, key=key, code=code, message=message))

    try:
        key = ref_of(tags)
        place, parts = _place(tags, geometry)
        if parts > 1:
            note("largest_of_several", f"Of {parts} polygons the largest is taken.")
        store = StoreGiven(
            ref=key,
            name=fields.text(_first(tags, NAME_TAGS) or key, column="name", max_chars=200),
            place=place,
            radius_m=_radius_m(tags, default=defaults.radius_m),
            time_zone=fields.time_zone(_first(tags, ZONE_TAGS) or defaults.time_zone),
            opening_hours=_hours(tags, note=note),
            address=fields.text(address_of(tags), column="address", max_chars=300),
        )
    except BadValue as error:
        return refuse(line=line, key=key, code=error.code, message=error.message)
    return Given(line=line, key=key, value=store, notes=tuple(notes))


def ref_of(tags: Mapping[str, str]) -> str:
    """Return the store's ref: the one given, else `osm-` and OpenStreetMap's id; a slash becomes a hyphen."""
    own = tags.get("ref", "")
    if not own:
        osm = _first(tags, ID_TAGS)
        if not osm:
            raise BadValue("ref_missing", "There is neither a ref nor an OpenStreetMap id.")
        own = osm if osm.startswith("osm") else f"osm-{osm}"
    return fields.ref(own.replace("/", "-"), column="ref")


def address_of(tags: Mapping[str, str]) -> str:
    """Return the address on one line, from `address`, `addr:full`, or OpenStreetMap's parts; "" if there is none."""
    whole = _first(tags, ("address", "addr:full"))
    if whole:
        return whole
    street = " ".join(
        part
        for part in (tags.get("addr:housenumber"), tags.get("addr:street") or tags.get("addr:place"))
        if part
    )
    town = " ".join(part for part in (tags.get("addr:postcode"), tags.get("addr:city")) if part)
    return ", ".join(part for part in (street, town) if part)


def _place(tags: Mapping[str, str], geometry: dict[str, Any] | None) -> tuple[Place | None, int]:
    if geometry is not None:
        return place_of(geometry)
    lat, lon = tags.get("lat", ""), tags.get("lon", "")
    if lat or lon:
        return point(lat=lat, lon=lon), 1
    if address_of(tags):
        return None, 1
    raise BadValue("no_position", "There is neither a position nor an address.")


def _radius_m(tags: Mapping[str, str], *, default: float) -> float:
    given = tags.get("radius_m", "")
    if not given:
        return default
    try:
        radius_m = float(given)
    except ValueError:
        radius_m = 0.0
    if not 1 <= radius_m <= MAX_RADIUS_M:
        raise BadValue("invalid_radius_m", f"radius_m is 1 to {MAX_RADIUS_M:,.0f} metres.")
    return radius_m


def _hours(tags: Mapping[str, str], *, note: Any) -> str:
    """Return hours that can be understood; a typing error in one tag is no reason to lose a shop."""
    given = tags.get("opening_hours", "")
    if not given:
        return ""
    too_long = f"Longer than {MAX_HOURS_CHARS} characters." if len(given) > MAX_HOURS_CHARS else None
    why = too_long or opening_hours.validate(given)
    if why is None:
        return given
    note("hours_not_understood", f"Kept with hours unknown. {why}")
    return ""


def _first(tags: Mapping[str, str], names: Iterable[str]) -> str:
    return next((tags[name] for name in names if tags.get(name)), "")


def centre_of(place: Place) -> shapely.Point:
    """Return where the store is: the point itself, or the polygon's centroid."""
    return place if isinstance(place, shapely.Point) else place.centroid
