"""API keys, shown in full once and never again; and phones' tokens, which staff can revoke."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from rest_framework_api_key.models import APIKey as LibraryKey
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from customers.admin.base import MachineRowsAdmin, Move, Said, StaffAdmin
from customers.admin.columns import column
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.lists import ListField
from customers.admin.words import both, say
from customers.models import ApiKey, BearerToken, Scope
from customers.operations import revoke_tokens

SCOPES = {
    Scope.STORES_WRITE: both(en="write stores and aisles", fr="écrire les magasins et rayons"),
    Scope.CATALOGUE_WRITE: both(en="write the catalogue", fr="écrire le catalogue"),
    Scope.CUSTOMERS_WRITE: both(
        en="write customers and their tokens", fr="écrire les clients et leurs jetons"
    ),
    Scope.PURCHASES_WRITE: both(en="send purchases", fr="envoyer les achats"),
    Scope.OFFERS_WRITE: both(en="write and publish offers", fr="écrire et publier les offres"),
    Scope.REDEMPTIONS_WRITE: both(en="redeem coupons", fr="accepter des coupons"),
    Scope.REPORTS_READ: both(en="read reports", fr="lire les rapports"),
    Scope.SIMULATIONS_RUN: both(en="run simulations", fr="lancer des simulations"),
}


class ApiKeyForm(forms.ModelForm):
    name = forms.CharField(
        label=both(en="Whose key", fr="À qui est la clé"), max_length=50, widget=UnfoldAdminTextInputWidget
    )
    scopes = forms.MultipleChoiceField(
        label=both(en="It may", fr="Elle peut"),
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    store_refs = ListField(
        label=both(en="Only these stores", fr="Seulement ces magasins"),
        help_text=both(
            en="One store key per line; empty: every store.", fr="Une clé de magasin par ligne ; vide : tous."
        ),
        required=False,
        max_chars=128,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "store_refs", "expiry_date")


def _revoke(request: HttpRequest, key: ApiKey) -> Said:
    ApiKey.objects.filter(pk=key.pk).update(revoked=True)
    return Said(text=say(en=f"{key.name} can no longer call.", fr=f"{key.name} ne peut plus appeler."))


def _may(key: ApiKey) -> str:
    return ", ".join(str(SCOPES[Scope(scope)]) for scope in key.scopes if scope in Scope.values)


@admin.register(ApiKey)
class ApiKeyAdmin(StaffAdmin):
    singular = both(en="API key", fr="clé d’API")
    title = both(en="API keys", fr="Clés d’API")
    form = ApiKeyForm
    fields = ("name", "scopes", "store_refs", "expiry_date")
    columns = (
        column("name", en="Whose key", fr="À qui est la clé"),
        column("prefix", en="Begins with", fr="Commence par", order=False),
        column("scopes", en="It may", fr="Elle peut", read=_may, order=False),
        column(
            "store_refs",
            en="Stores",
            fr="Magasins",
            order=False,
            read=lambda key: ", ".join(key.store_refs) or say(en="all", fr="tous"),
        ),
        "revoked",
        column("expiry_date", en="Until", fr="Jusqu’au"),
    )
    searches = (("name__icontains", ""), ("prefix__startswith", ""))
    ordering = ("-created", "id")
    moves = (
        Move(
            name="revoke",
            label=both(en="Revoke for good", fr="Révoquer définitivement"),
            needs="customers.change_apikey",
            run=_revoke,
            is_possible=lambda key: not key.revoked,
            is_grave=True,
        ),
    )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or not obj.revoked)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a revoked key stays, so that its calls can still be told apart

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            obj.save()
            return
        obj.plain_key = ApiKey.objects.assign_key(obj)
        obj.save()

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the key in the answer itself: it is kept nowhere, not even for the next request."""
        context = {
            **self.admin_site.each_context(request),
            "title": say(en="The new key", fr="La nouvelle clé"),
            "key": obj.plain_key,
            "name": obj.name,
        }
        return TemplateResponse(request, "rayon/new_key.html", context)


def _sign_out(request: HttpRequest, token: BearerToken) -> Said:
    count = revoke_tokens(customer_id=token.customer_id, device_id=token.device_id)
    if not count:
        return Said(
            text=say(en="It was revoked before.", fr="Il était déjà révoqué."), level=messages.WARNING
        )
    return Said(text=say(en="This phone must sign in again.", fr="Ce téléphone doit se reconnecter."))


@admin.register(BearerToken)
class BearerTokenAdmin(MachineRowsAdmin):
    title = both(en="Phones’ sign-ins", fr="Connexions des téléphones")
    columns = (
        column("device_id", en="Device", fr="Appareil", order=False),
        OF_CUSTOMER,
        column("created_at", en="Since", fr="Depuis", order=False),
        column("expires_at", en="Until", fr="Jusqu’au", order=False),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER,)
    actions = ("revoke",)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("customers.delete_bearertoken")

    @admin.action(
        description=both(en="Sign these phones out", fr="Déconnecter ces téléphones"), permissions=["revoke"]
    )
    def revoke(self, request: HttpRequest, queryset: Any) -> None:
        tokens = list(queryset.order_by("id"))
        for token in tokens:
            _sign_out(request, token)
            self.log_change(request, token, say(en="Signed out", fr="Déconnecté"))
        count = len(tokens)
        self.message_user(
            request,
            say(en=f"{count} phones must sign in again.", fr=f"{count} téléphones doivent se reconnecter."),
        )


admin.site.unregister(LibraryKey)  # a key made there would open nothing
