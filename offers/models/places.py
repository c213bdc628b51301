"""Stores and their aisles: where a phone can be. Distances are metres on the WGS 84 ellipsoid."""

from django.contrib.gis.db import models
from django.db.models import Q, QuerySet

from offers.models.catalogue import Category


class StoreQuerySet(QuerySet["Store"]):
    def present(self) -> "StoreQuerySet":
        return self.filter(removed_at__isnull=True)


class Store(models.Model):
    """A store with one fence: a circle around `location`, or the polygon `area`."""

    ref = models.CharField(max_length=128, unique=True)
    name = models.CharField(max_length=200)
    location = models.PointField(geography=True, srid=4326)
    radius_m = models.FloatField(null=True, blank=True)
    area = models.PolygonField(geography=True, srid=4326, null=True, blank=True)
    time_zone = models.CharField(max_length=64)  # IANA name
    opening_hours = models.CharField(
        max_length=500, blank=True, default=""
    )  # OpenStreetMap syntax; empty: always
    address = models.CharField(max_length=300, blank=True, default="")
    removed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    objects = StoreQuerySet.as_manager()

    class Meta:
        # reader: the visits stage, for the widest circle; it reads the GiST indexes of location and area too
        indexes = [models.Index(fields=["radius_m"], name="store_radius")]
        constraints = [
            models.CheckConstraint(
                name="store_fence_is_circle_or_polygon",
                condition=Q(radius_m__isnull=False, area__isnull=True)
                | Q(radius_m__isnull=True, area__isnull=False),
            ),
            models.CheckConstraint(
                name="store_radius_in_range",
                condition=Q(radius_m__isnull=True) | Q(radius_m__gt=0, radius_m__lte=10_000),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.ref})"


class Aisle(models.Model):
    """A part of a store known by its beacons and, where positions are precise enough, by a polygon.

    No categories: nothing is known of what stands here, so any offer of the store may fire.
    """

    store = models.ForeignKey(Store, on_delete=models.CASCADE, related_name="aisles")
    ref = models.CharField(max_length=128)
    name = models.CharField(max_length=200)
    area = models.PolygonField(geography=True, srid=4326, null=True, blank=True)
    dwell_s = models.PositiveIntegerField(null=True, blank=True)  # null: the house's aisle dwell
    categories = models.ManyToManyField(Category, blank=True, related_name="aisles")
    removed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "ref"], name="aisle_ref_once_per_store")]

    def __str__(self) -> str:
        return f"{self.name} ({self.ref}) in store {self.store_id}"


class Beacon(models.Model):
    """An iBeacon triple, or the same triple printed as a code on the shelf."""

    aisle = models.ForeignKey(Aisle, on_delete=models.CASCADE, related_name="beacons")
    uuid = models.UUIDField()
    major = models.PositiveIntegerField()
    minor = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["uuid", "major", "minor"], name="beacon_triple_once"),
            models.CheckConstraint(
                name="beacon_numbers_are_16_bit", condition=Q(major__lte=65_535, minor__lte=65_535)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.uuid}/{self.major}/{self.minor}"
