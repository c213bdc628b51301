"""The offer as a plain form: the API's shape, as fields that a marketer can fill in."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.admin import site
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanWidget,
)

from customers.admin.lists import ListField
from customers.admin.words import both, say
from offers.admin.fields import GtinListField, MoneyField, RefField, count_field, text_field
from offers.admin.offer_values import initial_of, offer_in
from offers.admin.operation_forms import OperationForm
from offers.models import BenefitKind, Offer, OfferStore, Store, TriggerOn, TriggerPlaces
from offers.operations.outcomes import Refused, Written
from offers.operations.promotions import put_offers

BENEFITS = (
    (BenefitKind.PERCENT.value, both(en="Percent off", fr="Pourcentage de remise")),
    (BenefitKind.AMOUNT.value, both(en="Euros off", fr="Euros de remise")),
    (BenefitKind.PRICE.value, both(en="Fixed price in euros", fr="Prix fixe en euros")),
)
PLACES = (
    (TriggerPlaces.AISLE.value, both(en="at the aisle", fr="au rayon")),
    (TriggerPlaces.STORE.value, both(en="at the store", fr="au magasin")),
)
MOMENTS = (
    (TriggerOn.ENTER.value, both(en="on arriving", fr="à l’arrivée")),
    (TriggerOn.DWELL.value, both(en="on staying", fr="en s’y arrêtant")),
)
EMPTY_IS_EVERYBODY = both(en="One per line; empty: everybody.", fr="Un par ligne ; vide : tout le monde.")


def _checkbox(*, label: Any, help_text: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False, widget=UnfoldBooleanWidget)


def _long(*, label: Any) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


def _number(*, label: Any, high: int, places: int = 2, **kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=label,
        min_value=Decimal(0),
        max_value=Decimal(high),
        decimal_places=places,
        widget=UnfoldAdminDecimalFieldWidget,
        **kwargs,
    )


def _instant(*, label: Any) -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(label=label, widget=UnfoldAdminSplitDateTimeWidget)


class OfferForm(OperationForm):
    places: ClassVar = {
        "title": "title_fr",
        "valid": "valid_until",
        "target.category": "target_category",
        "stores": "chosen_stores",
        "limits.units": "units",
        "limits.budget_minor": "budget",
    }

    ref = RefField(label=both(en="Key", fr="Clé"))
    title_fr = text_field(label=both(en="Title in French", fr="Titre en français"), max_chars=120)
    title_en = text_field(label=both(en="Title in English", fr="Titre en anglais"), max_chars=120)
    body_fr = _long(label=both(en="Text in French", fr="Texte en français"))
    body_en = _long(label=both(en="Text in English", fr="Texte en anglais"))
    image_url = forms.URLField(
        label=both(en="Address of a picture", fr="Adresse d’une image"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget,
    )
    kind = forms.ChoiceField(
        label=both(en="Benefit", fr="Avantage"), choices=BENEFITS, widget=UnfoldAdminSelectWidget
    )
    value = _number(label=both(en="How much", fr="Combien"), high=20_000_000)
    target_brand = text_field(label=both(en="A brand", fr="Une marque"), max_chars=128)
    gtins = GtinListField(
        label=both(en="Or products", fr="Ou des produits"),
        required=False,
        help_text=both(
            en="Product numbers (GTIN), one per line.", fr="Codes des produits (GTIN), un par ligne."
        ),
    )
    chosen_stores = forms.ModelMultipleChoiceField(
        label=both(en="Stores", fr="Magasins"),
        queryset=Store.objects.present().order_by("name", "id"),
        required=False,
        widget=AutocompleteSelectMultiple(Offer._meta.get_field("stores"), site),
        help_text=both(en="Empty: every store.", fr="Vide : tous les magasins."),
    )
    trigger_places = forms.ChoiceField(
        label=both(en="Sent", fr="Envoyée"), choices=PLACES, widget=UnfoldAdminSelectWidget
    )
    trigger_on = forms.ChoiceField(
        label=both(en="Moment", fr="Moment"), choices=MOMENTS, widget=UnfoldAdminSelectWidget
    )
    starts = _instant(label=both(en="From", fr="Du"))
    valid_until = _instant(label=both(en="Until", fr="Jusqu’au"))
    minutes = count_field(
        label=both(en="Minutes a coupon lives", fr="Minutes de vie d’un coupon"),
        high=366 * 24 * 60,
        required=True,
    )
    units = count_field(
        label=both(en="Coupons in all", fr="Coupons en tout"),
        help_text=both(en="Empty: no limit.", fr="Vide : sans limite."),
    )
    budget = MoneyField(
        label=both(en="Budget in euros", fr="Budget en euros"),
        required=False,
        help_text=both(en="Empty: no limit.", fr="Vide : sans limite."),
    )
    times = count_field(
        label=both(en="Times per customer", fr="Fois par client"),
        help_text=both(en="Empty: one at a time.", fr="Vide : un à la fois."),
    )
    times_days = count_field(label=both(en="… within days", fr="… en jours"), high=3_660)
    audience_share = _number(
        label=both(en="Least share of spending, in %", fr="Part minimale des achats, en %"),
        high=100,
        required=False,
        help_text=both(
            en="Empty: who bought from it before. 0: everybody.",
            fr="Vide : qui en a déjà acheté. 0 : tout le monde.",
        ),
    )
    recent_days = count_field(
        label=both(en="Bought it within days", fr="Acheté depuis moins de (jours)"), high=3_660
    )
    newcomers = _checkbox(label=both(en="Only who never bought it", fr="Seulement qui n’en a jamais acheté"))
    segment_words = ListField(
        label=both(en="Segments", fr="Segments"),
        max_chars=64,
        required=False,
        help_text=EMPTY_IS_EVERYBODY,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    topic_words = ListField(
        label=both(en="Topics", fr="Thèmes"),
        max_chars=64,
        required=False,
        help_text=EMPTY_IS_EVERYBODY,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    holdout_percent = _number(
        label=both(en="Held out to measure, in %", fr="Mis à part pour mesurer, en %"), high=100
    )
    rank = forms.IntegerField(
        label=both(en="Priority", fr="Priorité"),
        min_value=-1_000_000,
        max_value=1_000_000,
        help_text=both(en="The higher wins.", fr="La plus haute l’emporte."),
        widget=UnfoldAdminIntegerFieldWidget,
    )

    class Meta:
        model = Offer
        fields = ("ref", "target_category")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target_category"].label = both(en="Or a category", fr="Ou une catégorie")
        offer = self.instance
        if offer.pk:
            self.fields["ref"].disabled = True
            stores = (
                OfferStore.objects.filter(offer=offer).order_by("store_id").values_list("store_id", flat=True)
            )
            self.initial.update(initial_of(offer), chosen_stores=list(stores))
        else:
            params = settings.RAYON
            self.initial = {
                "holdout_percent": Decimal(str(params["holdout_share"])) * 100,
                "minutes": params["coupon_minutes"],
                "rank": 0,
                **self.initial,
            }

    def clean_ref(self) -> str:
        ref: str = self.cleaned_data["ref"]
        if not self.instance.pk and Offer.objects.filter(ref=ref, removed_at__isnull=True).exists():
            raise forms.ValidationError(
                say(en="An offer has this key.", fr="Une offre a cette clé."), code="taken"
            )
        return ref

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        self._check_benefit(data.get("kind"), data.get("value"))
        if (
            not self.errors
            and sum(map(bool, (data["gtins"], data["target_category"], data["target_brand"]))) != 1
        ):
            self.add_error(
                "target_brand",
                say(
                    en="Name one target: a brand, or a category, or products.",
                    fr="Indiquez une seule cible : une marque, ou une catégorie, ou des produits.",
                ),
            )
        starts, until = data.get("starts"), data.get("valid_until")
        if starts and until and starts >= until:
            self.add_error(
                "valid_until", say(en="It must end after it begins.", fr="La fin doit suivre le début.")
            )
        if data.get("times_days") and not data.get("times"):
            self.add_error(
                "times", say(en="Say how many times in these days.", fr="Indiquez combien de fois.")
            )
        return data

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        offer = offer_in(data=self.cleaned_data, known=self.instance if self.instance.pk else None)
        [outcome] = put_offers(offers=[offer], now=now)
        return outcome

    def _check_benefit(self, kind: str | None, value: Decimal | None) -> None:
        if value is None:
            return
        if kind == BenefitKind.PERCENT and not 0 < value <= 100:
            self.add_error("value", say(en="Percent go from 0.01 to 100.", fr="De 0,01 à 100 pour cent."))
        if kind == BenefitKind.AMOUNT and value <= 0:
            self.add_error(
                "value", say(en="An amount off is above zero.", fr="Une remise est supérieure à zéro.")
            )
