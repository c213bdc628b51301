"""The demo's own log-ins and API key: made once, kept in a file that only its owner can read."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from customers.models import ApiKey, Scope
from offers.operations.staff import MARKETERS, OPERATORS, STORE_MANAGERS, ensure_groups

FILE_NAME = "demo-logins.json"
KEY_NAME = "demo"
PASSWORD_BYTES = 12
ROLES = {"manager": STORE_MANAGERS, "marketer": MARKETERS, "operator": OPERATORS}  # username -> group


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    passwords: dict[str, str] = field(repr=False)  # by username
    api_key: str = field(repr=False)


def read_logins(*, home: Path) -> Logins | None:
    """Return what the file says; None where there is none that can be understood."""
    try:
        values = json.loads((home / FILE_NAME).read_text(encoding="utf-8"))
        found = Logins(passwords=dict(values["passwords"]), api_key=str(values["api_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found.passwords.keys() >= ROLES.keys() else None


def logins_stand(*, home: Path) -> bool:
    """Whether file and database both have the log-ins and the key. Two queries."""
    logins = read_logins(home=home)
    if logins is None:
        return False
    users = User.objects.filter(username__in=ROLES, is_active=True, is_staff=True).count()
    return users == len(ROLES) and _key_stands(logins.api_key)


def ensure_logins(*, home: Path) -> Logins:
    """Make the groups, the log-ins and the key where they are missing, and return them; writes the file (mode 0600)."""
    known = read_logins(home=home)
    with transaction.atomic():
        groups = ensure_groups()
        passwords = {}
        for username, group in ROLES.items():
            password = known.passwords[username] if known else secrets.token_urlsafe(PASSWORD_BYTES)
            user, is_new = User.objects.get_or_create(username=username)
            if is_new or not user.check_password(password):
                user.set_password(password)
            user.is_staff = user.is_active = True
            user.save()
            user.groups.set([groups[group]])
            passwords[username] = password
        logins = Logins(passwords=passwords, api_key=_key(known.api_key if known else ""))
    _write(logins, home=home)
    return logins


def _key(known: str) -> str:
    """Return a key that works: the known one, else a new one in place of the demo's older ones."""
    if known and _key_stands(known):
        return known
    ApiKey.objects.filter(name=KEY_NAME, revoked=False).update(revoked=True)
    _, key = ApiKey.objects.create_key(name=KEY_NAME, scopes=list(Scope.values))
    return str(key)


def _key_stands(key: str) -> bool:
    row = ApiKey.objects.get_usable_keys().filter(prefix=key.partition(".")[0]).first()
    return row is not None and row.is_valid(key)


def _write(logins: Logins, *, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    fresh = home / f"{FILE_NAME}.{secrets.token_hex(8)}"
    with os.fdopen(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as handle:
        json.dump(asdict(logins), handle, indent=1)
    fresh.replace(home / FILE_NAME)
