"""A last-minute deal as one plain form: what, how many, until when, at least what price; the rest has defaults."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.admin import site
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from customers.admin.words import both, say
from offers.admin.deal_values import deal_json, deal_offer_in, initial_of_deal
from offers.admin.fields import GtinListField, MenuField, MoneyField, count_field, text_field
from offers.admin.offer_form import MOMENTS, PLACES
from offers.admin.operation_forms import OperationForm
from offers.models import Offer, OfferStore, Store
from offers.operations.outcomes import Refused, Written
from offers.operations.promotions import put_offers
from offers.operations.unit_prices import unit_price_minor

MENU = "10, 20, 30, 40, 50"
SENSITIVITIES = (
    (Decimal("1.5"), both(en="little", fr="peu")),
    (Decimal("2.5"), both(en="as usual", fr="normalement")),
    (Decimal("3.5"), both(en="strongly", fr="fortement")),
)
USUAL = SENSITIVITIES[1][0]
AUDIENCE_PERCENT = Decimal(0)  # everybody: the score decides whom it is worth telling
COUPON_MINUTES = 30
HOURS = 3  # from now to the deadline that the form proposes
MOST_EUROS = Decimal(20_000_000)
SHARE_BY_ITSELF = Decimal("0.5")  # of the units, sold at the normal price by the deadline, where nobody says


class DealForm(OperationForm):
    places: ClassVar = {
        "title": "title_fr",
        "valid": "deadline",
        "deal.deadline": "deadline",
        "deal.floor_price_minor": "floor_price",
        "target.category": "target_category",
        "stores": "chosen_stores",
        "limits.units": "units",
    }

    gtins = GtinListField(
        label=both(en="Products", fr="Produits"),
        required=False,
        help_text=both(
            en="Product numbers (GTIN), one per line.", fr="Codes des produits (GTIN), un par ligne."
        ),
    )
    target_brand = text_field(label=both(en="Or a brand", fr="Ou une marque"), max_chars=128)
    chosen_stores = forms.ModelMultipleChoiceField(
        label=both(en="Stores", fr="Magasins"),
        queryset=Store.objects.present().order_by("name", "id"),
        required=False,
        widget=AutocompleteSelectMultiple(Offer._meta.get_field("stores"), site),
        help_text=both(en="Empty: every store.", fr="Vide : tous les magasins."),
    )
    units = count_field(
        label=both(en="How many are left", fr="Combien il en reste"), high=1_000_000, required=True
    )
    deadline = forms.SplitDateTimeField(
        label=both(en="Until when", fr="Jusqu’à quand"), widget=UnfoldAdminSplitDateTimeWidget
    )
    regular_price = MoneyField(
        label=both(en="Normal price in euros", fr="Prix normal en euros"),
        required=False,
        max_value=MOST_EUROS,
        help_text=both(en="Empty: the catalogue’s.", fr="Vide : celui du catalogue."),
    )
    floor_price = MoneyField(
        label=both(en="At least, in euros", fr="Au moins, en euros"),
        required=False,
        max_value=MOST_EUROS,
        help_text=both(en="No price will be lower.", fr="Aucun prix ne sera plus bas."),
    )
    perishable = forms.BooleanField(
        label=both(en="About to spoil", fr="Menacé d’altération rapide"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=both(
            en="Only then may food be reduced by more than 34%, or below its cost.",
            fr="C’est la condition pour baisser un prix de plus de 34 %, ou sous le coût.",
        ),
    )
    per_hour = forms.DecimalField(
        label=both(en="Sold an hour at the normal price", fr="Ventes par heure au prix normal"),
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(1_000_000),
        decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=both(
            en="Empty: half of what is left, until then.", fr="Vide : la moitié de ce qui reste, d’ici là."
        ),
    )
    elasticity = forms.TypedChoiceField(
        label=both(en="Customers look at the price", fr="Les clients regardent le prix"),
        coerce=Decimal,
        choices=SENSITIVITIES,
        widget=UnfoldAdminSelectWidget,
    )
    unit_cost = MoneyField(
        label=both(en="What one cost you, in euros", fr="Coût d’une unité, en euros"),
        required=False,
        max_value=MOST_EUROS,
    )
    unsold_value = MoneyField(
        label=both(en="What a leftover is worth, in euros", fr="Valeur d’un invendu, en euros"),
        required=False,
        is_signed=True,
        min_value=-MOST_EUROS,
        max_value=MOST_EUROS,
        help_text=both(en="Below 0: getting rid of it costs.", fr="Négatif : s’en défaire coûte."),
    )
    menu = MenuField(
        label=both(en="Discounts that may be given, in %", fr="Remises possibles, en %"),
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
    )
    trigger_places = forms.ChoiceField(
        label=both(en="Sent", fr="Envoyée"), choices=PLACES, widget=UnfoldAdminSelectWidget
    )
    trigger_on = forms.ChoiceField(
        label=both(en="Moment", fr="Moment"), choices=MOMENTS, widget=UnfoldAdminSelectWidget
    )
    minutes = count_field(
        label=both(
            en="Minutes a coupon holds its unit", fr="Minutes pendant lesquelles un coupon retient l’unité"
        ),
        high=366 * 24 * 60,
        required=True,
    )
    audience_share = forms.DecimalField(
        label=both(en="Least share of spending, in %", fr="Part minimale des achats, en %"),
        required=False,
        min_value=Decimal(0),
        max_value=Decimal(100),
        widget=UnfoldAdminDecimalFieldWidget,
        help_text=both(
            en="Empty: who bought from it before. 0: everybody.",
            fr="Vide : qui en a déjà acheté. 0 : tout le monde.",
        ),
    )
    holdout_percent = forms.DecimalField(
        label=both(en="Held out to measure, in %", fr="Mis à part pour mesurer, en %"),
        min_value=Decimal(0),
        max_value=Decimal(100),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    title_fr = text_field(label=both(en="Title in French", fr="Titre en français"), max_chars=120)
    title_en = text_field(label=both(en="Title in English", fr="Titre en anglais"), max_chars=120)
    body_fr = forms.CharField(
        label=both(en="Text in French", fr="Texte en français"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    body_en = forms.CharField(
        label=both(en="Text in English", fr="Texte en anglais"),
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    class Meta:
        model = Offer
        fields = ("target_category",)

    class Media:
        js = ("rayon/deal.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target_category"].label = both(en="Or a category", fr="Ou une catégorie")
        offer = self.instance
        if offer.pk:
            stores = OfferStore.objects.filter(offer=offer).order_by("store_id")
            known = initial_of_deal(offer)
            self.initial.update(known, chosen_stores=list(stores.values_list("store_id", flat=True)))
            self._offer_elasticity(known["elasticity"])
        else:
            self.initial = {
                "deadline": _proposed_deadline(timezone.localtime()),
                "perishable": True,
                "elasticity": USUAL,
                "menu": MENU,
                "minutes": COUPON_MINUTES,
                "audience_share": AUDIENCE_PERCENT,
                "holdout_percent": Decimal(str(settings.RAYON["holdout_share"])) * 100,
                **self.initial,
            }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not self.errors:
            self._check_target(data)
            self._fill_price(data)
        if not self.errors and (data["floor_price"] or 0) > data["regular_price"]:
            self.add_error(
                "floor_price",
                say(
                    en="The lowest price is above the normal price.",
                    fr="Le prix plancher dépasse le prix normal.",
                ),
            )
        if not self.errors and data["per_hour"] is None:
            data["per_hour"] = _usual_sales(data["units"], deadline=data["deadline"], now=timezone.now())
        return data

    def deal(self) -> dict[str, Any]:
        """Return Offer.deal of this form; it must be valid."""
        return deal_json(self.cleaned_data, known=self._known)

    def unsaved(self, *, now: datetime) -> Offer:
        """Return the offer that this form, which must be valid, would save, as far as the law looks at it."""
        terms = deal_offer_in(data=self.cleaned_data, known=self._known, now=now).terms
        names = ("title", "body", "currency", "target_gtins", "target_brand", "valid_from", "deal")
        values = {name: getattr(terms, name) for name in names}
        known = self._known
        return Offer(
            **values,
            pk=self.instance.pk,
            benefit_kind=terms.benefit_kind,
            benefit_value=terms.benefit_value,
            target_category=self.cleaned_data["target_category"],
            published_at=known.published_at if known else None,
        )

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        offer = deal_offer_in(data=self.cleaned_data, known=self._known, now=now)
        [outcome] = put_offers(offers=[offer], now=now)
        return outcome

    @property
    def _known(self) -> Offer | None:
        return self.instance if self.instance.pk else None

    def _offer_elasticity(self, value: Decimal) -> None:
        """Let an elasticity that came through the API stand among the choices, as its number."""
        if value not in dict(SENSITIVITIES):
            self.fields["elasticity"].choices = [*SENSITIVITIES, (value, str(value))]  # type: ignore[attr-defined]

    def _check_target(self, data: dict[str, Any]) -> None:
        if sum(map(bool, (data["gtins"], data["target_category"], data["target_brand"]))) != 1:
            self.add_error(
                "gtins",
                say(
                    en="Name one target: products, or a brand, or a category.",
                    fr="Indiquez une seule cible : des produits, ou une marque, ou une catégorie.",
                ),
            )

    def _fill_price(self, data: dict[str, Any]) -> None:
        if data.get("regular_price"):
            return
        target = Offer(
            target_gtins=data["gtins"],
            target_brand=data["target_brand"],
            target_category=data["target_category"],
        )
        data["regular_price"] = unit_price_minor(offer=target)
        if not data["regular_price"]:
            self.add_error(
                "regular_price",
                say(
                    en="The catalogue has no price: enter it.",
                    fr="Le catalogue n’a pas de prix : indiquez-le.",
                ),
            )


class DealPreview(DealForm):
    """The same form, which is only looked at."""

    def _post_clean(self) -> None:
        """Write nothing."""


def _proposed_deadline(now: datetime) -> datetime:
    """Return the next full hour that leaves some time."""
    return (now + timedelta(hours=HOURS + 1)).replace(minute=0, second=0, microsecond=0)


def _usual_sales(units: int, *, deadline: datetime, now: datetime) -> Decimal:
    hours = Decimal(max(0.25, (deadline - now).total_seconds() / 3600))
    return (SHARE_BY_ITSELF * units / hours).quantize(Decimal("0.01"))
