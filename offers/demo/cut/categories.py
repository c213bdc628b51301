"""A small French aisle tree, and which of its leaves a product name belongs to."""

import re

from offers.demo.cut.io import fold
from offers.demo.cut.words import NOT_YOGHURT, RULES

# ref, name, parent's ref: parents stand before their children.
TREE: tuple[tuple[str, str, str], ...] = (
    ("frais", "Produits frais", ""),
    ("yaourts", "Yaourts", "frais"),
    ("yaourts-nature", "Yaourts nature", "yaourts"),
    ("yaourts-fruits", "Yaourts aux fruits", "yaourts"),
    ("yaourts-aromatises", "Yaourts aromatisés", "yaourts"),
    ("yaourts-gourmands", "Yaourts chocolat, caramel et gourmands", "yaourts"),
    ("yaourts-grecs", "Yaourts à la grecque", "yaourts"),
    ("yaourts-brasses", "Yaourts brassés", "yaourts"),
    ("yaourts-boire", "Yaourts à boire", "yaourts"),
    ("skyrs", "Skyrs", "yaourts"),
    ("fromages-blancs", "Fromages blancs, faisselles et petits-suisses", "frais"),
    ("desserts-lactes", "Desserts lactés", "frais"),
    ("lait", "Lait", "frais"),
    ("beurre-creme", "Beurre et crème", "frais"),
    ("oeufs", "Œufs", "frais"),
    ("fromages", "Fromages", "frais"),
    ("charcuterie", "Charcuterie", "frais"),
    ("traiteur", "Traiteur", "frais"),
    ("viandes", "Viandes", "frais"),
    ("poissons", "Poissons", "frais"),
    ("fruits-legumes", "Fruits et légumes", ""),
    ("epicerie-salee", "Épicerie salée", ""),
    ("pates-riz", "Pâtes, riz et légumes secs", "epicerie-salee"),
    ("conserves", "Conserves", "epicerie-salee"),
    ("sauces", "Sauces, huiles et condiments", "epicerie-salee"),
    ("soupes", "Soupes", "epicerie-salee"),
    ("aperitif", "Apéritif", "epicerie-salee"),
    ("epicerie-sucree", "Épicerie sucrée", ""),
    ("biscuits", "Biscuits et gâteaux", "epicerie-sucree"),
    ("chocolats-confiseries", "Chocolats et confiseries", "epicerie-sucree"),
    ("cereales", "Céréales", "epicerie-sucree"),
    ("confitures-miels", "Confitures, miels et pâtes à tartiner", "epicerie-sucree"),
    ("compotes", "Compotes", "epicerie-sucree"),
    ("boissons", "Boissons", ""),
    ("jus", "Jus de fruits", "boissons"),
    ("sodas", "Sodas et sirops", "boissons"),
    ("eaux", "Eaux", "boissons"),
    ("cafe-the", "Cafés et thés", "boissons"),
    ("alcools", "Vins, bières et spiritueux", "boissons"),
    ("boulangerie", "Boulangerie", ""),
    ("surgeles", "Surgelés", ""),
    ("glaces", "Glaces", "surgeles"),
    ("pizzas", "Pizzas", "surgeles"),
)

PARENT = {ref: parent for ref, _, parent in TREE}

_COMPILED = [(ref, re.compile(pattern)) for ref, pattern in RULES]
_NOT_THE_HEAD = re.compile(r"\b(a|au|aux|de|du|des|et|en|sur|avec|saveur|gout|facon|pour)\b|\bd'|\bl'|[,(&]")


def category_of(name: str) -> str:
    """Return the leaf of the first matching yoghurt rule, else of the rule that matches earliest, or "".

    A French name says first what a thing is: a word after "au", "de", "avec" and the like names an ingredient,
    and decides nothing.
    """
    folded = fold(name)
    yoghurt_is_an_ingredient = bool(NOT_YOGHURT.search(folded))
    matches: list[tuple[int, int, str]] = []
    for ref, pattern in _COMPILED:
        match = pattern.search(folded)
        if match is None:
            continue
        if root_is_yoghurt(ref):
            if not yoghurt_is_an_ingredient:
                return ref
        elif not _NOT_THE_HEAD.search(folded[: match.start()]):
            matches.append((match.start(), len(matches), ref))
    return min(matches)[2] if matches else ""


def root_is_yoghurt(ref: str) -> bool:
    return ref == "fromages-blancs" or PARENT.get(ref) == "yaourts"


def department_of(ref: str) -> str:
    """Return the top of the tree above `ref`."""
    while PARENT[ref]:
        ref = PARENT[ref]
    return ref
