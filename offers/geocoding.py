"""Positions of addresses, asked of the French address base or of Nominatim through geopy."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from geopy.adapters import URLLibAdapter
from geopy.exc import GeocoderRateLimited, GeocoderServiceError, GeocoderTimedOut
from geopy.geocoders import BANFrance, Nominatim

TIMEOUT_S = 5.0
MIN_BAN_SCORE = 0.5  # below it the base itself is not sure that this is the address
NOMINATIM_GAP_S = 1.0  # its usage policy: at most one request a second
MAX_FAILURES_IN_A_ROW = 3

logging.getLogger("geopy").setLevel(logging.WARNING)  # below, it repeats what it was asked and answered


class NotGeocoded(Exception):
    """The address has no position that could be trusted."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = (
            code  # address_unknown, address_uncertain, geocoder_timeout, geocoder_busy, geocoder_unavailable
        )
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    lat: float  # degrees WGS 84
    lon: float


class Geocoder:
    """One geocoding service. After three failures in a row it is not asked any more: each would cost a time-out."""

    def __init__(self, *, kind: str, url: str, user_agent: str, timeout_s: float = TIMEOUT_S) -> None:
        """`kind` is ban or nominatim; `url` the whole address of its search call."""
        self._service = _service(kind=kind, url=url, user_agent=user_agent, timeout_s=timeout_s)
        self._gap_s = NOMINATIM_GAP_S if kind == "nominatim" and _is_public(url) else 0.0
        self._asked_at = -math.inf
        self._failures = 0

    def locate(self, address: str) -> Located:
        """Return the address's position. Raises NotGeocoded. May wait, out of courtesy to the service."""
        if self._failures >= MAX_FAILURES_IN_A_ROW:
            raise NotGeocoded(
                "geocoder_unavailable", "The geocoder failed several times and is not asked any more."
            )
        wait_s = self._asked_at + self._gap_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        try:
            found = self._service.geocode(address)
        except GeocoderTimedOut as error:
            self._failures += 1
            raise NotGeocoded("geocoder_timeout", "The geocoder did not answer in time.") from error
        except GeocoderRateLimited as error:
            self._failures += 1
            raise NotGeocoded("geocoder_busy", "The geocoder takes no more requests now.") from error
        except (GeocoderServiceError, ValueError, LookupError, TypeError, AttributeError) as error:
            # geopy reads an answer in an unknown shape without checking it
            self._failures += 1
            raise NotGeocoded("geocoder_unavailable", "The geocoder failed or answered nonsense.") from error
        finally:
            self._asked_at = time.monotonic()
        self._failures = 0
        return _judged(found)


def configured_geocoder() -> Geocoder | None:
    """Return the geocoder of the settings; None where GEOCODER is not set."""
    if not settings.GEOCODER:
        return None
    return Geocoder(
        kind=settings.GEOCODER, url=settings.GEOCODER_URL, user_agent=settings.GEOCODER_USER_AGENT or "rayon"
    )


def _service(*, kind: str, url: str, user_agent: str, timeout_s: float) -> BANFrance | Nominatim:
    parts = urlsplit(url)
    more: dict[str, Any] = {
        "scheme": parts.scheme,
        "timeout": timeout_s,
        "user_agent": user_agent,
        # geopy's other adapter tries three times and then calls a time-out something else
        "adapter_factory": URLLibAdapter,
    }
    if kind == "nominatim":
        nominatim = Nominatim(domain=parts.netloc, **more)
        nominatim.api = url
        return nominatim
    ban = BANFrance(domain=parts.netloc, **more)
    ban.geocode_api = url  # the base has moved below a path that geopy does not know
    return ban


def _is_public(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith("openstreetmap.org")


def _judged(found: Any) -> Located:
    if found is None:
        raise NotGeocoded("address_unknown", "The geocoder does not know the address.")
    score = (found.raw.get("properties") or {}).get("score") if isinstance(found.raw, dict) else None
    if isinstance(score, int | float) and score < MIN_BAN_SCORE:
        raise NotGeocoded("address_uncertain", f"The geocoder is not sure of it (score {score:.2f}).")
    return Located(lat=found.latitude, lon=found.longitude)  # geopy refused what is not on the globe
