"""Paris supermarkets: every one of them, as recorded, under a reference that fits into a URL."""

from pathlib import Path
from typing import Any

from offers.demo.cut.io import read_json, write_json


def cut_stores(*, source: Path, target: Path) -> list[dict[str, Any]]:
    """Write stores.geojson.gz and return its features.

    Of two features with one OpenStreetMap id (two tag sets of one node in 2014) the first with a name is kept.
    """
    features: dict[str, dict[str, Any]] = {}
    for feature in read_json(source / "stores_osm" / "paris_2014.geojson.gz")["features"]:
        properties = feature["properties"]
        ref = "osm-" + properties["osm"].replace("/", "-")
        if ref in features and "name" in features[ref]["properties"]:
            continue
        features[ref] = {**feature, "id": ref, "properties": {"ref": ref, **properties}}
    kept = [features[ref] for ref in sorted(features)]
    collection = {
        "type": "FeatureCollection",
        "attribution": "© OpenStreetMap contributors, ODbL 1.0",
        "features": kept,
    }
    write_json(target / "stores.geojson.gz", collection, indent=None)
    return kept
