"""Brands read from product names and, where the names under a GTIN company prefix bear it out, from that prefix."""

import re

from offers.demo.cut.io import fold

# Brand as written on the pack -> folded spellings found in the names of the source.
BRANDS_IN_NAMES: dict[str, tuple[str, ...]] = {
    "Activia": ("activia", "activa"), "Taillefine": ("taillefine", "taille fine"), "Danette": ("danette",),
    "Actimel": ("actimel",), "Danonino": ("danonino",), "Gervais": ("gervais",), "Jockey": ("jockey",),
    "Danio": ("danio",), "Fjord": ("fjord",), "Velouté Fruix": ("veloute fruix",), "Danone": ("danone",),
    "La Laitière": ("la laitiere",), "Siggi's": ("siggi's", "siggis"), "Yaos": ("yaos",),
    "Lou Pérac": ("lou perac",), "Nestlé": ("nestle",), "Yop": ("yop",), "Perle de Lait": ("perle de lait",),
    "Câlin": ("calin",), "Panier de Yoplait": ("panier de yoplait",), "Yoplait": ("yoplait",),
    "Andros": ("andros",), "Bonne Maman": ("bonne maman",), "Malo": ("malo",), "Baïko": ("baiko",),
    "Mamie Nova": ("mamie nova",), "Vrai": ("vrai",), "Sojasun": ("sojasun",), "Lactel": ("lactel",),
    "Candia": ("candia",), "Senoble": ("senoble",), "Mont Blanc": ("mont blanc",),
    "Le Petit Basque": ("petit basque",), "Ferme des Peupliers": ("ferme des peupliers",), "Ibaski": ("ibaski",),
    "Ferme Collet": ("ferme collet",), "Bionat": ("bionat", "bio nat"), "Président": ("president",),
    "Entremont": ("entremont",), "Babybel": ("babybel",), "Kiri": ("kiri",), "Boursin": ("boursin",),
    "Saint Albray": ("saint albray",), "Caprice des Anges": ("caprice des anges",), "St Môret": ("st moret",),
    "Soignon": ("soignon",), "Chavroux": ("chavroux",), "Etorki": ("etorki",), "Philadelphia": ("philadelphia",),
    "Fleury Michon": ("fleury michon",), "Cochonou": ("cochonou",), "Bonduelle": ("bonduelle",),
    "Cassegrain": ("cassegrain",), "Panzani": ("panzani",), "Lustucru": ("lustucru",), "Tipiak": ("tipiak",),
    "Knorr": ("knorr",), "Maggi": ("maggi",), "Bjorg": ("bjorg",), "Jardin Bio": ("jardin bio",),
    "Saint Mamet": ("saint mamet",), "Materne": ("materne",), "Pom'Potes": ("pom'potes",),
    "Teisseire": ("teisseire",), "Joker": ("joker",), "Tropicana": ("tropicana",), "Volvic": ("volvic",),
    "Evian": ("evian",), "Vittel": ("vittel",), "Lipton": ("lipton",), "Lindt": ("lindt",),
    "Haribo": ("haribo",), "Carambar": ("carambar",), "Rik & Rok": ("rik & rok",), "Délisse": ("delisse",),
    "Pâturages": ("paturages",), "Auchan": ("auchan",), "Carrefour": ("carrefour",), "Casino": ("casino",),
    "Monoprix": ("monoprix",), "Leader Price": ("leader price",), "Marque Repère": ("marque repere",),
}  # fmt: skip

# The brand of a name without one: the GTIN's first seven digits -> the brand that other names under it give.
BRAND_OF_PREFIX: dict[str, str] = {
    "3463342": "Baïko", "3278690": "Malo", "3278692": "Malo", "3278699": "Malo",
    "3456774": "Mamie Nova", "3177630": "Mamie Nova", "3374270": "Ferme des Peupliers", "3760206": "Ibaski",
    "3413160": "Ferme Collet", "3280246": "Le Petit Basque", "3280249": "Le Petit Basque",
    "3596710": "Auchan", "3560070": "Carrefour", "3560071": "Carrefour", "3222471": "Casino",
    "3222472": "Casino", "3222477": "Casino", "3350030": "Monoprix", "3350031": "Monoprix",
    "3263859": "Leader Price", "3263858": "Leader Price",
}  # fmt: skip

# The same for prefixes whose names bear out a brand for what is made of milk only.
BRAND_OF_DAIRY_PREFIX: dict[str, str] = {
    "3033490": "Danone", "3033491": "Danone", "3023290": "Nestlé", "3329770": "Yoplait", "3291330": "Yoplait",
    "3297560": "Yoplait", "3564700": "Délisse", "3250390": "Pâturages", "3250391": "Pâturages",
    "3250392": "Pâturages",
}  # fmt: skip

RETAILER_BRANDS = frozenset(
    (
        "Auchan",
        "Carrefour",
        "Casino",
        "Monoprix",
        "Leader Price",
        "Délisse",
        "Pâturages",
        "Rik & Rok",
        "Marque Repère",
    )
)

MAKERS: dict[str, tuple[str, ...]] = {
    "Danone": ("Danone", "Activia", "Taillefine", "Actimel", "Danonino", "Gervais", "Jockey", "Danio", "Fjord",
               "Velouté Fruix", "Danette"),
    "Nestlé": ("Nestlé", "La Laitière", "Siggi's", "Yaos", "Lou Pérac"),
    "Yoplait": ("Yoplait", "Yop", "Perle de Lait", "Câlin", "Panier de Yoplait"),
}  # fmt: skip

_SPELLINGS = [
    (re.compile(rf"\b{re.escape(spelling)}(?![a-z])"), brand)
    for brand, spellings in BRANDS_IN_NAMES.items()
    for spelling in spellings
]


def brand_of(*, gtin: str, name: str, dairy: bool) -> str:
    """Return the brand the name states, else the one its company prefix stands for, else ""."""
    folded = fold(name)
    for pattern, brand in _SPELLINGS:
        if pattern.search(folded):
            return brand
    if dairy and gtin[:7] in BRAND_OF_DAIRY_PREFIX:
        return BRAND_OF_DAIRY_PREFIX[gtin[:7]]
    return BRAND_OF_PREFIX.get(gtin[:7], "")
