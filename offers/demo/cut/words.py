"""The words by which a French product name is put on a shelf; categories.py says how they are applied."""

import re

_YOGHURT = r"ya+h?ou?rts?|yogh?ourts?|yogh?urts?"
_DRESSED = (  # dishes, sweets and machines in which yoghurt is an ingredient: the word comes before "yaourt"
    r"gateaux?|cakes?|sauce|sandwich|barres?|bar|concombres?|tzatziki|celeri|tartes?|pain|glaces?|glacees?|muesli|"
    r"cereales?|granola|biscuits?|chips|bonbons?|salade|saumon|jambon|poulet|tortis|yaourtiere|ferments?|wrap|"
    r"sorbet|boisson|smoothie|gourmandises?|galettes?|enrobage|enrobee?s?|chocolats?|gout|souffles?|bebe|radis|"
    r"dressing|crudites|carres?|mini|frozen|nappees?|raisins?|cranberr[a-z]+|aromatisation|bouchees?|pannacotta|taboule"
)
NOT_YOGHURT = re.compile(
    rf"\b({_DRESSED})\b.*\b({_YOGHURT}|fromage blanc)\b|glacee?\b|yaourtiere|ferment\b|poudre"
)

RULES: tuple[
    tuple[str, str], ...
] = (  # of the yoghurt shelf the first that matches decides, of the others the earliest
    (
        "skyrs",
        r"\bskyr",
    ),
    (
        "yaourts-boire",
        rf"\b({_YOGHURT})\b.*\ba boire|\byop\b|\bactimel",
    ),
    (
        "yaourts-grecs",
        rf"\b({_YOGHURT})\b.*\bgrec(s|ques?)?\b|\byaos\b",
    ),
    (
        "fromages-blancs",
        (
            r"\bfromages? blancs?\b|faisselle|petits?[- ]suisses?|fromages? frais sucr|\bcalin\b|"
            r"\bjockey\b"
        ),
    ),
    (
        "yaourts-gourmands",
        (
            rf"\b({_YOGHURT})\b.*\b(chocolat|choco|caramel|stracciatella|praline|cafe|speculoos|"
            r"noisettes?)"
        ),
    ),
    (
        "yaourts-brasses",
        rf"\b({_YOGHURT})\b.*\bbrasses?\b",
    ),
    (
        "yaourts-fruits",
        (
            rf"\b({_YOGHURT})\b.*\b(fruits?|fraises?|framboises?|peches?|abricots?|cerises?|myrtilles?|"
            r"mures?|mangues?|ananas|poires?|pommes?|bananes?|rhubarbe|figues?|pruneaux?|cassis|"
            r"groseilles?|passion|chataignes?|marrons?|kiwi|mirabelles?|exotiques?|agrumes|litchi|"
            r"goyave|d'abricots?|l'abricot|d'ananas|oranges?|mandarine)\b"
        ),
    ),
    (
        "yaourts-aromatises",
        (
            rf"\b({_YOGHURT})\b.*\b(vanille|citron|coco|aromes?|aromatis\w*|saveurs?|parfums?|miel|"
            r"rose|violette|lavande|menthe|cannelle|sucres?)\b"
        ),
    ),
    (
        "yaourts-nature",
        rf"\b({_YOGHURT})\b|\bactivia\b|\bperle de lait\b",
    ),
    (
        "desserts-lactes",
        (
            r"\b(viennois|cremes? desserts?|mousses? (au|chocolat|cafe|vanille)|riz au lait|"
            r"ile flottante|liegeois|cremes? brulees?|panna|danette|semoule au lait|desserts? lactes?|"
            r"flans?)\b"
        ),
    ),
    (
        "glaces",
        r"\b(cremes? glacees?|glaces?|sorbets?|esquimaux|buches? glacees?)\b(?! entiers)",
    ),
    (
        "pizzas",
        r"\bpizzas?\b",
    ),
    (
        "alcools",
        (
            r"\b(vins?|champagne|bieres?|cidres?|rhum|whisky|bordeaux|languedoc|cotes du|vodka|pastis|"
            r"muscadet|gaillac)\b"
        ),
    ),
    (
        "soupes",
        r"\b(soupes?|veloute (de|aux?|legumes|poireaux)|potage|bouillon|mouline)\b",
    ),
    (
        "compotes",
        (
            r"\b(compotes?|pom'potes|puree de (pommes?|poires?) |pommes? (fraises?|poires?|"
            r"bananes?) (sans|allegee?)|gourdes?)\b"
        ),
    ),
    (
        "confitures-miels",
        r"\b(confitures?|miels?|gelee de|pate a tartiner|marmelade|marmalade|creme de marrons)\b",
    ),
    (
        "cafe-the",
        r"\b(cafe|the|thes|infusion|tisane|cappuccino|expresso|espresso|capsules)\b",
    ),
    (
        "cereales",
        r"\b(cereales|muesli|granola|flocons|petales|corn flakes|porridge)\b",
    ),
    (
        "biscuits",
        (
            r"\b(biscuits?|cookies?|madeleines?|sables?|galettes? (bretonnes?|pur|au beurre|des rois)|"
            r"quatre[- ]quarts|palmiers|feuillete de mousse|palets?|gaufres?|gaufrettes?|cakes?|"
            r"gateaux?|brownies?|boudoirs?|petit beurre|crepes? dentelle|pain d'epices|macarons?|"
            r"moelleux)\b"
        ),
    ),
    (
        "chocolats-confiseries",
        (
            r"\b(chocolats?|bonbons?|nougats?|carambar|truffes? (fantaisie|au)|haribo|sucettes?|"
            r"guimauves?|caramels?|marrons glaces|pralines?|tablettes?|dragees?|reglisse)\b"
        ),
    ),
    (
        "jus",
        r"\b(jus|nectars?|smoothies?)\b",
    ),
    (
        "sodas",
        r"\b(sirops?|limonades?|cola|tonic|soda|ice tea|the glace|boisson)\b",
    ),
    (
        "eaux",
        r"\b(eau minerale|eau de source|eau gazeuse|evian|volvic|vittel|eau aromatisee)\b",
    ),
    (
        "aperitif",
        (
            r"\b(chips|cacahuetes?|olives?|crackers?|tortillas?|bretzels?|pistaches|aperitif|"
            r"noix de cajou|amandes grillees)\b"
        ),
    ),
    (
        "oeufs",
        r"\b(\d+ )?(gros |petits )?oeufs?\b(?! de (truite|brochet|lump|saumon|poissons?))",
    ),
    (
        "charcuterie",
        (
            r"\b(jambon|saucissons?|saucisses?|rosette|bacon|lardons?|allumettes|"
            r"rillettes(?! de (saumon|thon|homard|maquereaux?))|terrine|pates? de (campagne|foie)|"
            r"chorizo|knacks?|merguez|chipolatas?|boudin|andouille|foie gras|coppa|salami|"
            r"mousse de canard)\b"
        ),
    ),
    (
        "traiteur",
        (
            r"\b(taboule|salade|sandwich|wrap|lasagnes?|quiche|tarte|ravioli|parmentier|cassoulet|"
            r"couscous|paella|hachis|box|gratin|surimi|quenelles?|blinis|houmous|tzatziki|burger|"
            r"nems?|sushis?)\b"
        ),
    ),
    (
        "sauces",
        (
            r"\b(sauce|mayonnaise|ketchup|moutarde|vinaigre|vinaigrette|huile|pesto|epices?|sel|"
            r"poivre|herbes|curry|cornichons?|coulis de tomates?|(double )?concentre de tomates?|"
            r"tapenade)\b"
        ),
    ),
    (
        "conserves",
        (
            r"\b((filets? de )?(maquereaux?|thon|sardines?)|haricots|petits pois|mais|"
            r"lentilles (cuisinees|preparees)|coeurs de|asperges|champignons de paris|ratatouille|"
            r"flageolets|salsifis|tomates (pelees|concassees)|macedoine)\b"
        ),
    ),
    (
        "pates-riz",
        (
            r"\b(pates(?! de (campagne|foie|fruits?))|spaghettis?|penne|coquillettes|macaronis?|"
            r"tagliatelles?|riz|quinoa|boulgour|semoule|lentilles|pois chiches|pois casses|farfalle|"
            r"fusilli|torsades|tortis|polenta|rigatoni|farine)\b"
        ),
    ),
    (
        "fromages",
        (
            r"\b(fromages?|camembert|emmental|comte|roquefort|brie|gruyere|mozzarella|feta|chevre|"
            r"reblochon|raclette|tomme|mimolette|edam|gouda|cantal|bleu d|munster|parmesan|kiri|"
            r"babybel|boursin|chavroux|etorki|saint albray|buche|crottin|rocamadour|pont l'eveque|"
            r"maroilles|ossau|st moret)\b"
        ),
    ),
    (
        "beurre-creme",
        r"\b(beurre|creme (fraiche|liquide|entiere|epaisse|legere)|margarine)\b",
    ),
    (
        "lait",
        (
            r"\b(lait (demi|entier|ecreme|1/2|frais|uht|facile|bio)|candia|boisson (soja|amande|"
            r"avoine))|^lait$"
        ),
    ),
    (
        "poissons",
        (
            r"\b((filets?|paves?|eminces|tranches?|dos|oeufs) d[e'] ?)?(saumons?|cabillaud|colin|"
            r"crevettes?|moules|truites?|harengs?|lieu|poissons?|morue|merlu|saint[- ]jacques|"
            r"rillettes de (saumon|thon|homard))\b"
        ),
    ),
    (
        "viandes",
        (
            r"\b((rotis?|blancs?|filets?|escalopes?|brochettes?|cuisses?|cotes?|emince) de )?(steaks?|"
            r"poulet|boeuf|porc|veau|agneau|dinde|canard|escalopes?|rotis?|hache|volaille|magrets?|"
            r"cordons? bleus?)\b"
        ),
    ),
    (
        "boulangerie",
        r"\b(pain|pains|baguettes?|brioches?|croissants?|biscottes?|tartines?|toasts?|gaches?)\b",
    ),
    (
        "fruits-legumes",
        (
            r"\b(pommes|bananes|tomates?|carottes?|salade|roquette|endives?|ail|oignons?|champignons?|"
            r"legumes|epinards|courgettes?|poireaux|avocats?|fraises|raisins?|pruneaux?|noix|dattes|"
            r"abricots secs|melange de graines)\b"
        ),
    ),
)
