"""The forms of stores and aisles: one fence a store, beacons as lines that can be pasted from a list."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import available_timezones

from django import forms
from django.contrib.gis.geos import Point, Polygon
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from customers.admin.words import both, say
from offers.admin.fences import reason_against_area
from offers.admin.fields import RefField, count_field, text_field
from offers.admin.operation_forms import OperationForm
from offers.models import Aisle, Store
from offers.operations.outcomes import Refused, Written
from offers.operations.places import AisleIn, BeaconIn, StoreIn, put_aisles, put_stores
from offers.rules import opening_hours

ZONES = [(name, name) for name in sorted(available_timezones())]
MAX_BEACONS = 200
WGS84 = 4326


def _coordinate(*, label: Any, limit: int) -> forms.FloatField:
    return forms.FloatField(
        label=label, min_value=-limit, max_value=limit, required=False, widget=UnfoldAdminDecimalFieldWidget
    )


class AreaForm(OperationForm):
    def clean_area(self) -> Polygon | None:
        area: Polygon | None = self.cleaned_data["area"]
        wrong = reason_against_area(area) if area is not None else None
        if wrong is not None:
            raise forms.ValidationError(wrong, code="invalid_polygon")
        return area


class StoreForm(AreaForm):
    ref = RefField(label=both(en="Key", fr="Clé"))
    name = text_field(label=both(en="Name", fr="Nom"), max_chars=200, required=True)
    address = text_field(label=both(en="Address", fr="Adresse"), max_chars=300)
    time_zone = forms.ChoiceField(
        label=both(en="Time zone", fr="Fuseau horaire"),
        choices=ZONES,
        initial="Europe/Paris",
        widget=UnfoldAdminSelectWidget,
    )
    opening_hours = text_field(
        label=both(en="Opening hours", fr="Horaires d’ouverture"),
        max_chars=500,
        help_text=both(
            en="As in OpenStreetMap: Mo-Sa 08:00-20:30; Su 09:00-13:00. Empty: always open.",
            fr="Comme dans OpenStreetMap : Mo-Sa 08:00-20:30; Su 09:00-13:00. Vide : toujours ouvert.",
        ),
    )
    lat = _coordinate(label=both(en="Latitude", fr="Latitude"), limit=90)
    lon = _coordinate(label=both(en="Longitude", fr="Longitude"), limit=180)
    radius_m = forms.FloatField(
        label=both(en="Radius in metres", fr="Rayon en mètres"),
        min_value=1,
        max_value=10_000,
        required=False,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=both(
            en="For a round fence. Leave it empty where you draw an area.",
            fr="Pour une zone ronde. Laissez vide si vous dessinez une zone.",
        ),
    )

    class Meta:
        model = Store
        fields = ("ref", "name", "address", "time_zone", "opening_hours", "location", "radius_m", "area")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["location"].label = both(en="Position on the map", fr="Position sur la carte")
        self.fields["location"].required = False
        self.fields["area"].label = both(en="Area, drawn on the map", fr="Zone, dessinée sur la carte")
        if self.instance.pk:
            self.fields["ref"].disabled = True
            self.initial.update(lat=self.instance.location.y, lon=self.instance.location.x)

    def clean_ref(self) -> str:
        ref: str = self.cleaned_data["ref"]
        if not self.instance.pk and Store.objects.present().filter(ref=ref).exists():
            raise forms.ValidationError(
                say(en="A store has this key.", fr="Un magasin a cette clé."), code="taken"
            )
        return ref

    def clean_opening_hours(self) -> str:
        text: str = self.cleaned_data["opening_hours"]
        wrong = opening_hours.validate(text) if text else None
        if wrong is not None:
            raise forms.ValidationError(wrong, code="invalid_opening_hours")
        return text

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "area" in data and "radius_m" in data and (data["radius_m"] is None) == (data["area"] is None):
            self.add_error(
                "radius_m",
                say(
                    en="Give either a radius or an area, not both.",
                    fr="Indiquez soit un rayon, soit une zone, pas les deux.",
                ),
            )
        position = self._position(data)
        if position is None and not self.errors:
            self.add_error("lat", say(en="Say where the store is.", fr="Indiquez où est le magasin."))
        data["location"] = position
        return data

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        data = self.cleaned_data
        names = ("ref", "name", "location", "radius_m", "area", "time_zone", "opening_hours", "address")
        [written] = put_stores(stores=[StoreIn(**{name: data[name] for name in names})], now=now)
        return written

    def _position(self, data: dict[str, Any]) -> Point | None:
        """Return the typed numbers where they were changed, else the point on the map, else the area's middle."""
        lat, lon = data.get("lat"), data.get("lon")
        drawn: Point | None = data.get("location")
        if lat is not None and lon is not None and (drawn is None or {"lat", "lon"} & set(self.changed_data)):
            return Point((lon, lat), srid=WGS84)
        if drawn is not None:
            return drawn
        area: Polygon | None = data.get("area")
        return None if area is None else Point(area.centroid.coords, srid=WGS84)


class AisleForm(AreaForm):
    places: ClassVar = {"categories": "categories", "beacons": "beacon_lines"}

    ref = RefField(label=both(en="Key", fr="Clé"))
    name = text_field(label=both(en="Name", fr="Nom"), max_chars=200, required=True)
    dwell_s = count_field(
        label=both(
            en="Seconds until somebody counts as staying", fr="Secondes avant de compter comme arrêté"
        ),
        high=3_600,
        help_text=both(en="Empty: the house’s own.", fr="Vide : celles de la maison."),
    )
    beacon_lines = forms.CharField(
        label=both(en="Beacons", fr="Balises"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=both(
            en="One per line: UUID, major, minor. Printed codes carry the same three.",
            fr="Une par ligne : UUID, majeur, mineur. Les codes imprimés portent les mêmes trois.",
        ),
    )

    class Meta:
        model = Aisle
        fields = ("store", "ref", "name", "categories", "area", "dwell_s")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["store"].label = both(en="Store", fr="Magasin")
        self.fields["categories"].label = both(en="What stands there", fr="Ce qui s’y trouve")
        self.fields["area"].label = both(en="Area, drawn on the map", fr="Zone, dessinée sur la carte")
        if self.instance.pk:
            self.fields["ref"].disabled = self.fields["store"].disabled = True
            rows = self.instance.beacons.order_by("uuid", "major", "minor")
            self.initial["beacon_lines"] = "\n".join(f"{row.uuid}, {row.major}, {row.minor}" for row in rows)

    def clean_beacon_lines(self) -> tuple[BeaconIn, ...]:
        lines = [line for line in self.cleaned_data["beacon_lines"].splitlines() if line.strip()]
        if len(lines) > MAX_BEACONS:
            raise forms.ValidationError(
                say(en=f"At most {MAX_BEACONS} beacons.", fr=f"Au plus {MAX_BEACONS} balises."),
                code="too_many",
            )
        return tuple({beacon.triple: beacon for beacon in map(_beacon, lines)}.values())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        store = data.get("store")
        if store is not None and store.removed_at is not None:
            self.add_error("store", say(en="This store was removed.", fr="Ce magasin a été retiré."))
        taken = Aisle.objects.filter(store=store, ref=data.get("ref"), removed_at__isnull=True)
        if not self.instance.pk and not self.errors and taken.exists():
            self.add_error(
                "ref", say(en="An aisle of this store has this key.", fr="Un rayon a déjà cette clé.")
            )
        return data

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        data = self.cleaned_data
        aisle = AisleIn(
            ref=data["ref"],
            name=data["name"],
            categories=tuple(category.ref for category in data["categories"]),
            area=data["area"],
            beacons=data["beacon_lines"],
            dwell_s=data["dwell_s"],
        )
        [outcome] = put_aisles(store=data["store"], aisles=[aisle], now=now)
        return outcome


def _beacon(line: str) -> BeaconIn:
    parts = line.replace(",", " ").replace(";", " ").split()
    try:
        uuid, major, minor = UUID(parts[0]), int(parts[1]), int(parts[2])
        if len(parts) != 3 or not (0 <= major <= 65_535 and 0 <= minor <= 65_535):
            raise ValueError
    except (ValueError, IndexError):
        raise forms.ValidationError(
            say(
                en=f"“{line[:80]}” is not a UUID with two numbers from 0 to 65535.",
                fr=f"« {line[:80]} » n’est pas un UUID suivi de deux nombres de 0 à 65535.",
            ),
            code="invalid_beacon",
        ) from None
    return BeaconIn(uuid=uuid, major=major, minor=minor)
