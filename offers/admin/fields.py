"""Form fields that staff fill in: keys, product numbers, money in its own unit, counts, menus of discounts."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from customers.admin.lists import ListField
from customers.admin.words import say
from customers.api.fields import is_gtin, is_ref

MAX_COUNT = 2**31 - 1
MOST_DEPTHS = 50  # of a menu


class RefField(forms.CharField):
    """The retailer's own key of a row."""

    def __init__(self, *, max_chars: int = 128, **kwargs: Any) -> None:
        super().__init__(max_length=max_chars, widget=UnfoldAdminTextInputWidget, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not is_ref(value, max_chars=self.max_length or 128):
            raise forms.ValidationError(
                say(en="A key has no slashes, and is not a dot.", fr="Une clé n’a pas de barre oblique."),
                code="invalid_ref",
            )


class GtinField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=14, widget=UnfoldAdminTextInputWidget, **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not is_gtin(value):
            raise forms.ValidationError(bad_gtin(value), code="invalid_gtin")


class GtinListField(ListField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_chars=14, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        wrong = [gtin for gtin in value if not is_gtin(gtin)]
        if wrong:
            raise forms.ValidationError([bad_gtin(gtin) for gtin in wrong[:5]], code="invalid_gtin")


def bad_gtin(text: str) -> str:
    return say(
        en=f"{text} is not the number of a product: check its digits.",
        fr=f"{text} n’est pas un code de produit : vérifiez ses chiffres.",
    )


class MoneyField(forms.DecimalField):
    """Euros and cents to minor units and back; currencies of two decimals; below zero where it is signed."""

    def __init__(self, *, is_signed: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminDecimalFieldWidget)
        if not is_signed:
            kwargs["min_value"] = Decimal(0)
        super().__init__(decimal_places=2, max_digits=12, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return Decimal(value) / 100 if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> int | None:
        amount = super().clean(value)
        return None if amount is None else int(amount * 100)


def text_field(*, label: Any, max_chars: int, required: bool = False, **kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=max_chars, required=required, widget=UnfoldAdminTextInputWidget, **kwargs
    )


def count_field(*, label: Any, low: int = 1, high: int = MAX_COUNT, **kwargs: Any) -> forms.IntegerField:
    kwargs.setdefault("required", False)
    return forms.IntegerField(
        label=label, min_value=low, max_value=high, widget=UnfoldAdminIntegerFieldWidget, **kwargs
    )


class MenuField(forms.CharField):
    """Percents, comma-separated, to rising basis points."""

    def clean(self, value: Any) -> list[int]:
        words = str(super().clean(value)).replace("%", " ").replace(";", ",").split(",")
        try:
            found = sorted({round(100 * Decimal(word.strip())) for word in words if word.strip()})
        except ArithmeticError:
            found = []
        if not found or len(found) > MOST_DEPTHS or not all(1 <= depth <= 10_000 for depth in found):
            raise forms.ValidationError(
                say(en="Write percents, such as 10, 20, 30.", fr="Écrivez des pourcentages : 10, 20, 30."),
                code="menu",
            )
        return found
