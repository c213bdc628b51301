"""The groups that staff belong to, and what each may do."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

VIEW, ADD, CHANGE, DELETE = "view", "add", "change", "delete"
ALL = (VIEW, ADD, CHANGE, DELETE)

STORE_MANAGERS = "Store managers"
MARKETERS = "Marketers"
OPERATORS = "Operators"

# group -> (app, model) -> what its members may do
GROUPS: Mapping[str, Mapping[tuple[str, str], Sequence[str]]] = {
    STORE_MANAGERS: {
        ("offers", "store"): (VIEW, CHANGE),
        ("offers", "aisle"): ALL,
        ("offers", "beacon"): ALL,
        ("offers", "category"): (VIEW,),  # an aisle's categories are chosen from them
        ("offers", "coupon"): (VIEW,),
        ("offers", "decision"): (VIEW,),
    },
    MARKETERS: {
        ("offers", "offer"): ALL,
        ("offers", "brand"): (VIEW,),
        ("offers", "category"): ALL,
        ("offers", "product"): ALL,
        ("offers", "store"): (VIEW,),  # an offer's stores are chosen from them
        ("offers", "coupon"): (VIEW, CHANGE),  # change: to revoke
        ("offers", "decision"): (VIEW,),
        ("offers", "exposure"): (VIEW,),
        ("offers", "feedback"): (VIEW,),
        ("customers", "customer"): (VIEW,),
        ("customers", "affinity"): (VIEW,),
        ("customers", "profile"): (VIEW,),
        ("offers", "nextbasket"): (VIEW,),
        ("offers", "responsemodel"): (VIEW,),
    },
    OPERATORS: {
        ("offers", "sendingswitch"): (VIEW, CHANGE),
        ("offers", "outboxmessage"): (VIEW, CHANGE),  # change: to resend and to drop
        ("offers", "receipt"): (VIEW,),
        ("offers", "lane"): (VIEW, CHANGE),  # change: to let it go on
        ("offers", "responsemodel"): (VIEW, CHANGE),  # change: to choose the version in use
        ("offers", "locationevent"): (VIEW,),
        ("offers", "visit"): (VIEW,),
        ("offers", "presence"): (VIEW,),
        ("offers", "decision"): (VIEW,),
        ("customers", "device"): (VIEW,),
        ("customers", "bearertoken"): (VIEW, DELETE),  # delete: to sign a phone out
        ("customers", "apikey"): (VIEW, ADD, CHANGE),
        ("push_notifications", "gcmdevice"): (VIEW,),
        ("push_notifications", "apnsdevice"): (VIEW,),
        ("push_notifications", "webpushdevice"): (VIEW,),
        ("procrastinate", "procrastinatejob"): (VIEW,),
    },
}


class MissingPermission(Exception):
    """The database has no such permission: the migrations have not all run."""


def ensure_groups() -> dict[str, Group]:
    """Make the groups, give each exactly what GROUPS says, and return them by name. Raises MissingPermission."""
    with transaction.atomic():
        return {name: _ensure(name=name, may=may) for name, may in GROUPS.items()}


def _ensure(*, name: str, may: Mapping[tuple[str, str], Sequence[str]]) -> Group:
    wanted = {(app, f"{verb}_{model}") for (app, model), verbs in may.items() for verb in verbs}
    matching = Q(pk__in=[])
    for app, codename in sorted(wanted):
        matching |= Q(content_type__app_label=app, codename=codename)
    found = list(Permission.objects.filter(matching).select_related("content_type").order_by("id"))
    missing = wanted - {(one.content_type.app_label, one.codename) for one in found}
    if missing:
        raise MissingPermission(", ".join(sorted(f"{app}.{codename}" for app, codename in missing)))
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set(found)
    return group
