"""The sidebar: what a person may see, under the words that they use."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from customers.admin.words import say


def stylesheet(request: HttpRequest) -> str:
    """Return the address of what the house adds to unfold's looks."""
    return static("rayon/staff.css")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of links, each link with whether this person sees it."""

    def link(title: str, app: str, model: str, icon: str) -> dict[str, Any]:
        allowed = request.user.has_perm(f"{app}.view_{model}")
        return {
            "title": title,
            "icon": icon,
            "link": reverse(f"admin:{app}_{model}_changelist"),
            "permission": lambda request: allowed,
        }

    def group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
        return {"title": title, "separator": True, "items": list(items)}

    home = {"title": say(en="Today", fr="Aujourd’hui"), "icon": "today", "link": reverse("admin:index")}
    return [
        {
            "items": [
                home,
                link(
                    say(en="Stop or resume sending", fr="Arrêter ou reprendre les envois"),
                    "offers",
                    "sendingswitch",
                    "power_settings_new",
                ),
            ]
        },
        group(
            say(en="Offers", fr="Offres"),
            link(say(en="Offers", fr="Offres"), "offers", "offer", "sell"),
            link(say(en="Coupons", fr="Coupons"), "offers", "coupon", "confirmation_number"),
            link(say(en="Decisions", fr="Décisions"), "offers", "decision", "rule"),
            link(say(en="Exposures", fr="Expositions"), "offers", "exposure", "visibility"),
            link(say(en="What customers said", fr="Avis des clients"), "offers", "feedback", "reviews"),
        ),
        group(
            say(en="Places", fr="Lieux"),
            link(say(en="Stores", fr="Magasins"), "offers", "store", "storefront"),
            link(say(en="Aisles", fr="Rayons"), "offers", "aisle", "shelves"),
            link(say(en="Beacons", fr="Balises"), "offers", "beacon", "sensors"),
        ),
        group(
            say(en="Catalogue", fr="Catalogue"),
            link(say(en="Products", fr="Produits"), "offers", "product", "inventory_2"),
            link(say(en="Categories", fr="Catégories"), "offers", "category", "account_tree"),
            link(say(en="Brands", fr="Marques"), "offers", "brand", "branding_watermark"),
        ),
        group(
            say(en="Customers", fr="Clients"),
            link(say(en="Customers", fr="Clients"), "customers", "customer", "group"),
            link(say(en="Purchases", fr="Achats"), "customers", "purchase", "receipt_long"),
            link(say(en="Affinities", fr="Affinités"), "customers", "affinity", "favorite"),
            link(say(en="Profiles", fr="Profils"), "customers", "profile", "badge"),
            link(say(en="Next baskets", fr="Prochains paniers"), "offers", "nextbasket", "shopping_basket"),
            link(say(en="Consents", fr="Consentements"), "customers", "consent", "fact_check"),
        ),
        group(
            say(en="Operation", fr="Exploitation"),
            link(say(en="Messages", fr="Messages"), "offers", "outboxmessage", "outbox"),
            link(say(en="Tries", fr="Essais d’envoi"), "offers", "receipt", "mark_email_read"),
            link(say(en="Providers", fr="Fournisseurs"), "offers", "lane", "alt_route"),
            link(say(en="Events", fr="Événements"), "offers", "locationevent", "my_location"),
            link(say(en="Visits", fr="Visites"), "offers", "visit", "directions_walk"),
            link(say(en="Followed now", fr="Suivi en cours"), "offers", "presence", "radar"),
            link(say(en="Codes", fr="Codes"), "offers", "couponcode", "qr_code"),
            link(say(en="Devices", fr="Appareils"), "customers", "device", "smartphone"),
            link(
                say(en="Response models", fr="Modèles de réponse"),
                "offers",
                "responsemodel",
                "model_training",
            ),
            link(
                say(en="Background jobs", fr="Tâches de fond"),
                "procrastinate",
                "procrastinatejob",
                "schedule",
            ),
        ),
        group(
            say(en="Access", fr="Accès"),
            link(say(en="API keys", fr="Clés d’API"), "customers", "apikey", "key"),
            link(
                say(en="Phones’ sign-ins", fr="Connexions des téléphones"),
                "customers",
                "bearertoken",
                "login",
            ),
            link(say(en="Staff", fr="Personnel"), "auth", "user", "person"),
            link(say(en="Groups", fr="Groupes"), "auth", "group", "groups"),
        ),
    ]
