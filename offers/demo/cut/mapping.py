"""From The Complete Journey's product categories to the leaves of the French tree; what is not here is left out."""

YOGHURT = "yoghurt"  # not a leaf: a yoghurt's leaf is that of the French product it is mapped to

LEAF_OF_CATEGORY: dict[str, str] = {
    "YOGURT": YOGHURT,
    "FLUID MILK PRODUCTS": "lait",
    "CHEESE": "fromages", "CHEESES": "fromages", "SPECIALTY CHEESE": "fromages",
    "MILK BY-PRODUCTS": "fromages-blancs",  # cottage cheese, sour cream, dips
    "MISC. DAIRY": "desserts-lactes",  # chiefly refrigerated pudding
    "MARGARINES": "beurre-creme", "BUTTER": "beurre-creme",
    "EGGS": "oeufs",
    "LUNCHMEAT": "charcuterie", "DELI MEATS": "charcuterie", "BACON": "charcuterie", "HOT DOGS": "charcuterie",
    "DINNER SAUSAGE": "charcuterie", "BREAKFAST SAUSAGE/SANDWICHES": "charcuterie",
    "SALADS/DIPS": "traiteur", "PREPARED FOOD": "traiteur", "SANDWICHES": "traiteur", "SALAD BAR": "traiteur",
    "HEAT/SERVE": "traiteur", "CHICKEN/POULTRY": "traiteur", "FRZN MEAT/MEAT DINNERS": "traiteur",
    "DINNER MXS:DRY": "traiteur",
    "BEEF": "viandes", "CHICKEN": "viandes", "PORK": "viandes", "TURKEY": "viandes", "LAMB": "viandes",
    "SEAFOOD - FROZEN": "poissons", "SEAFOOD-FRESH": "poissons", "SEAFOOD - MISC": "poissons",
    "TROPICAL FRUIT": "fruits-legumes", "VEGETABLES - ALL OTHERS": "fruits-legumes", "ONIONS": "fruits-legumes",
    "SALAD MIX": "fruits-legumes", "TOMATOES": "fruits-legumes", "POTATOES": "fruits-legumes",
    "APPLES": "fruits-legumes", "BERRIES": "fruits-legumes", "CITRUS": "fruits-legumes",
    "GRAPES": "fruits-legumes", "VEGETABLES SALAD": "fruits-legumes", "CARROTS": "fruits-legumes",
    "PEPPERS-ALL": "fruits-legumes", "ORGANICS FRUIT & VEGETABLES": "fruits-legumes",
    "VALUE ADDED FRUIT": "fruits-legumes", "STONE FRUIT": "fruits-legumes", "MUSHROOMS": "fruits-legumes",
    "DRIED FRUIT": "fruits-legumes",
    "DRY NOODLES/PASTA": "pates-riz", "DRY BN/VEG/POTATO/RICE": "pates-riz",
    "VEGETABLES - SHELF STABLE": "conserves", "MEAT - SHELF STABLE": "conserves",
    "BEANS - CANNED GLASS & MW": "conserves", "SEAFOOD - SHELF STABLE": "conserves",
    "CONDIMENTS/SAUCES": "sauces", "SALD DRSNG/SNDWCH SPRD": "sauces", "PASTA SAUCE": "sauces",
    "SPICES & EXTRACTS": "sauces", "SHORTENING/OIL": "sauces", "DRY SAUCES/GRAVY": "sauces", "HISPANIC": "sauces",
    "PICKLE/RELISH/PKLD VEG": "sauces",
    "SOUP": "soupes",
    "BAG SNACKS": "aperitif", "CRACKERS/MISC BKD FD": "aperitif", "SNACK NUTS": "aperitif",
    "WAREHOUSE SNACKS": "aperitif", "CHIPS&SNACKS": "aperitif",
    "COOKIES/CONES": "biscuits", "BAKED SWEET GOODS": "biscuits", "COOKIES": "biscuits", "CAKES": "biscuits",
    "CONVENIENT BRKFST/WHLSM SNACKS": "biscuits",
    "CANDY - CHECKLANE": "chocolats-confiseries", "CANDY - PACKAGED": "chocolats-confiseries",
    "COLD CEREAL": "cereales", "HOT CEREAL": "cereales",
    "PNT BTR/JELLY/JAMS": "confitures-miels", "MOLASSES/SYRUP/PANCAKE MIXS": "confitures-miels",
    "FRUIT - SHELF STABLE": "compotes",
    "REFRGRATD JUICES/DRNKS": "jus", "CANNED JUICES": "jus", "JUICE": "jus",
    "SOFT DRINKS": "sodas", "ISOTONIC DRINKS": "sodas", "PWDR/CRYSTL DRNK MX": "sodas",
    "WATER - CARBONATED/FLVRD DRINK": "eaux", "WATER": "eaux",
    "COFFEE": "cafe-the", "TEAS": "cafe-the",
    "BEERS/ALES": "alcools", "DOMESTIC WINE": "alcools", "IMPORTED WINE": "alcools", "LIQUOR": "alcools",
    "BAKED BREAD/BUNS/ROLLS": "boulangerie", "BREAD": "boulangerie", "ROLLS": "boulangerie",
    "BREAKFAST SWEETS": "boulangerie", "REFRGRATD DOUGH PRODUCTS": "boulangerie",
    "ICE CREAM/MILK/SHERBTS": "glaces", "FRZN NOVELTIES/WTR ICE": "glaces",
    "FROZEN PIZZA": "pizzas",
}  # fmt: skip


def leaf_of(*, product_category: str, product_type: str) -> str:
    """Return the French leaf (or YOGHURT) of a source product, or "" when it has none here."""
    if product_category == "REFRIGERATED" and product_type == "YOGURT":
        return YOGHURT
    if product_category == "FLUID MILK PRODUCTS" and product_type.startswith("YOGURT"):
        return YOGHURT
    return LEAF_OF_CATEGORY.get(product_category, "")
