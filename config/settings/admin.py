"""The staff's pages: unfold's look, what stands in the sidebar, and maps that draw without network."""

from config.settings.base import ENVIRONMENT

LOGIN_URL = "admin:login"
STAFF_TIME_ZONE = "Europe/Paris"  # of the instants that staff read and type

UNFOLD = {
    "SITE_TITLE": "Rayon",
    "SITE_HEADER": "Rayon",
    "SITE_SYMBOL": "storefront",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["offers.admin.navigation.stylesheet"],
    "ENVIRONMENT": "offers.admin.switch.badge",
    "DASHBOARD_CALLBACK": "offers.admin.dashboard.dashboard",
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "offers.admin.navigation.navigation",
    },
    "COLORS": {
        "primary": {
            "50": "#f0fdf4",
            "100": "#dcfce7",
            "200": "#bbf7d0",
            "300": "#86efac",
            "400": "#4ade80",
            "500": "#16a34a",
            "600": "#15803d",
            "700": "#166534",
            "800": "#14532d",
            "900": "#0f3d21",
            "950": "#052e16",
        },
    },
}

LEAFLET_CONFIG = {
    "DEFAULT_CENTER": (46.6, 2.4),
    "DEFAULT_ZOOM": 6,
    "MAX_ZOOM": 22,
    "RESET_VIEW": False,
    "TILES": [("Map", ENVIRONMENT.map_tiles_url, {})] if ENVIRONMENT.map_tiles_url else [],
}
