"""The pages of last-minute deals, among the offers: their form, what they would do, what they do now, and the stop."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from customers.admin.base import Move, Said
from customers.admin.words import both, say
from offers.admin.deal_form import DealForm, DealPreview
from offers.admin.deal_panel import panel, shown_now, shown_of
from offers.admin.operation_forms import OperationAdmin
from offers.admin.refusals import sentences_of
from offers.models import DealState, Offer, OfferState, Product
from offers.operations.legal import legal_reasons
from offers.operations.outcomes import Refused
from offers.operations.stopping import stop_deal
from offers.operations.yields import preview_deal
from offers.queries.deals import count_coupons
from offers.texts import in_language

CHANGE = "offers.change_offer"
NEW = "deal"  # in the address of the form for a new offer: it is to be a deal
PANEL = "rayon/deal_panel.html"


def _stop(request: HttpRequest, offer: Offer) -> Said:
    outcome = stop_deal(ref=offer.ref, now=timezone.now())
    if isinstance(outcome, Refused):
        return Said(text=f"{offer.ref}: {sentences_of(outcome)}", level=messages.ERROR)
    done = say(
        en="nobody more is told; coupons that are out stay good.",
        fr="plus personne n’est prévenu ; les coupons distribués restent valables.",
    )
    return Said(text=f"{offer.ref}: {done}")


def _can_stop(offer: Offer) -> bool:
    state = getattr(offer, "deal_state", None)
    is_running = state is not None and not (state.is_stopped and not state.is_open)
    return offer.deal is not None and offer.state == OfferState.LIVE and is_running


STOP = Move(
    name="stop",
    label=both(en="Stop telling customers", fr="Ne plus prévenir personne"),
    needs=CHANGE,
    run=_stop,
    is_possible=_can_stop,
    is_grave=True,
)


class LastMinuteFilter(admin.SimpleListFilter):
    title = both(en="kind", fr="sorte")
    parameter_name = "last_minute"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("yes", say(en="Last-minute deals", fr="Offres de dernière minute")),
            ("no", say(en="All others", fr="Toutes les autres")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() is None else queryset.filter(deal__isnull=self.value() != "yes")


FIELDSETS = (
    (
        both(en="What", fr="Quoi"),
        {"fields": ("gtins", ("target_brand", "target_category"), "chosen_stores")},
    ),
    (
        both(
            en="How many, until when, at least what price", fr="Combien, jusqu’à quand, au moins à quel prix"
        ),
        {"fields": ("units", "deadline", ("regular_price", "floor_price"), "perishable")},
    ),
    (
        both(en="The rest: it may stay as it is", fr="Le reste : il peut rester tel quel"),
        {
            "classes": ("collapse",),
            "fields": (
                ("per_hour", "elasticity"),
                ("unit_cost", "unsold_value"),
                "menu",
                ("trigger_places", "trigger_on"),
                "minutes",
                ("audience_share", "holdout_percent"),
                ("title_fr", "title_en"),
                ("body_fr", "body_en"),
            ),
        },
    ),
)


class DealPages(OperationAdmin):
    """What an admin of offers adds for those that are deals; `is_deal` tells them from the others."""

    change_form_before_template = "rayon/deal_now.html"
    change_form_after_template = "rayon/deal_preview.html"
    deal_fieldsets: ClassVar[Any] = FIELDSETS

    def is_deal(self, request: HttpRequest, offer: Offer | None) -> bool:
        return NEW in request.GET if offer is None else offer.deal is not None

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if self.is_deal(request, obj):
            kwargs["form"] = DealForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.is_deal(request, obj) and self._may_write(request, obj):
            return list(self.deal_fieldsets)
        return super().get_fieldsets(request, obj)

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                "deal-preview/",
                self.admin_site.admin_view(self.deal_preview_view),
                name="offers_offer_deal_preview",
            ),
            path(
                "<path:object_id>/deal-now/",
                self.admin_site.admin_view(self.deal_now_view),
                name="offers_offer_deal_now",
            ),
        ]
        return [*own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        offer = None if object_id is None else self.get_object(request, object_id)
        return super().changeform_view(
            request, object_id, form_url, {**self._deal_context(request, offer), **(extra_context or {})}
        )

    def deal_preview_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with the panel of what the posted form would do; nothing is written."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        known = self.get_object(request, request.GET.get("offer", "")) if "offer" in request.GET else None
        kwargs = {"instance": known} if known is not None and known.deal is not None else {}
        form = DealPreview(request.POST, **kwargs)
        return TemplateResponse(request, PANEL, {"panel": preview_panel(form)})

    def deal_now_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Answer with the panel of what a published deal does now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        offer = self.get_object(request, object_id)
        found = None if offer is None else now_panel(offer)
        if found is None:
            raise Http404
        return TemplateResponse(request, PANEL, {"panel": found})

    def response_add(
        self, request: HttpRequest, obj: Offer, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Lead to the new deal's page: there it is published."""
        answer = super().response_add(request, obj, post_url_continue)
        if obj.deal is None or "_addanother" in request.POST:
            return answer
        return HttpResponseRedirect(reverse("admin:offers_offer_change", args=[obj.pk]))

    def _deal_context(self, request: HttpRequest, offer: Offer | None) -> dict[str, Any]:
        if not self.is_deal(request, offer):
            return {}
        context: dict[str, Any] = {}
        if self._may_write(request, offer):
            url = reverse("admin:offers_offer_deal_preview")
            context["preview_url"] = f"{url}?offer={offer.pk}" if offer else url
        if offer is None:
            context["title"] = say(en="New last-minute deal", fr="Nouvelle offre de dernière minute")
        elif (found := now_panel(offer)) is not None:
            context |= {"panel": found, "now_url": reverse("admin:offers_offer_deal_now", args=[offer.pk])}
        return context


def preview_panel(form: DealPreview) -> dict[str, Any]:
    """Return the panel of a form that was posted; its first complaint where it does not hold together."""
    if not form.is_valid():
        wrong = next(
            (errors[0] for name, errors in form.errors.items() if form[name].data if name in form.fields), ""
        )
        return {
            "headline": say(
                en="Fill in what, how many and until when: what it would do stands here then.",
                fr="Indiquez quoi, combien et jusqu’à quand : ce qu’elle ferait s’affichera ici.",
            ),
            "complaint": wrong,
        }
    data = form.cleaned_data
    now = timezone.now()
    judged = preview_deal(
        deal=form.deal(),
        minutes_after_issue=data["minutes"],
        trigger_places=data["trigger_places"],
        trigger_on=data["trigger_on"],
        claimed=_claimed(form.instance),
        now=now,
        offer=form.instance if form.instance.pk else None,
        category=_category(data),
    )
    currency = form.instance.currency or "EUR"
    against = legal_reasons(offer=form.unsaved(now=now), now=now)
    language = say(en="en", fr="fr")
    law = [in_language(one.messages, language=language) for one in against if one.messages]
    return {**panel(shown_of(judged, currency=currency)), "law": law, "is_lawful": not law}


def _category(data: Mapping[str, Any]) -> str:
    """Return the one category (ref) of a validated form's target; empty: several, or none."""
    if data["target_category"]:
        return str(data["target_category"].ref)
    refs = Product.objects.filter(gtin__in=data["gtins"], category__isnull=False)
    found = set(refs.values_list("category__ref", flat=True))
    return found.pop() if len(found) == 1 else ""


def _claimed(offer: Offer) -> int:
    capacity = getattr(offer, "capacity", None)
    return capacity.claimed if capacity is not None else 0


def now_panel(offer: Offer) -> dict[str, Any] | None:
    """Return the panel of a published deal; None for one that never was."""
    state: DealState | None = getattr(offer, "deal_state", None)
    if state is None or offer.deal is None:
        return None
    counts = count_coupons(offer_id=offer.pk, now=timezone.now())
    return panel(shown_now(offer, state), counts=counts, reviewed_at=state.reviewed_at)
