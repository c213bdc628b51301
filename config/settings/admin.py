"""The staff's pages: unfold's look, and maps that draw without network."""

from config.settings.base import ENVIRONMENT

LOGIN_URL = "admin:login"

UNFOLD = {
    "SITE_TITLE": "Rayon",
    "SITE_HEADER": "Rayon",
    "SITE_SYMBOL": "storefront",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
}

LEAFLET_CONFIG = {
    "DEFAULT_CENTER": (46.6, 2.4),
    "DEFAULT_ZOOM": 6,
    "MAX_ZOOM": 22,
    "RESET_VIEW": False,
    "TILES": [("Map", ENVIRONMENT.map_tiles_url, {})] if ENVIRONMENT.map_tiles_url else [],
}
