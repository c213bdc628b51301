"""`python -m offers.demo.cut ORIGINALS`: make every data file of the demo and the tests anew and print the counts."""

import argparse
from collections import Counter
from pathlib import Path

from offers.demo.cut.coupons import cut_coupons
from offers.demo.cut.households import cut_households
from offers.demo.cut.journey import read_journey
from offers.demo.cut.phones import cut_beacon_walks, cut_geometry, cut_phone_fixes
from offers.demo.cut.products import cut_products
from offers.demo.cut.stores import cut_stores
from offers.demo.cut.story import cut_story

ROOT = Path(__file__).resolve().parents[3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "originals", type=Path, help="folder with stores_osm/, catalogue_off_fr/, complete_journey/ …"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout to write into (default: this one)")
    options = parser.parse_args()
    source, demo, tests = options.originals, options.root / "offers" / "demo", options.root / "tests" / "data"

    stores = cut_stores(source=source, target=demo)
    journey = read_journey(source=source)
    products, refused = cut_products(source=source, target=demo, journey=journey)
    purchases = cut_households(target=demo, journey=journey, products=products, stores=stores)
    story = cut_story(target=demo, purchases=purchases, products=products, stores=stores)
    cut_coupons(source=source, target=demo, journey=journey, purchases=purchases)
    cut_phone_fixes(source=source, target=tests / "phone_fixes")
    cut_beacon_walks(source=source, target=tests / "ibeacon")
    cut_geometry(source=source, target=tests / "geometry")

    print(f"stores: {len(stores)}")
    print(f"products: {len(products)}; left out: {dict(refused)}")
    for category, count in sorted(Counter(product.category for product in products).items()):
        print(f"  {category}: {count}")
    households = {purchase.customer for purchase in purchases}
    receipts = {purchase.line.basket for purchase in purchases}
    print(f"households: {len(households)}; receipts: {len(receipts)}; lines: {len(purchases)}")
    print(f"source lines left out: {dict(journey.left_out)}")
    print(f"story: {story['facts']}")


if __name__ == "__main__":
    main()
