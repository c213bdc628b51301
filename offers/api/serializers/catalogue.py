"""Categories and products in the shapes of the wire contract."""

from typing import Any

from django.core.validators import URLValidator

from customers.api.fields import CurrencyField, EnumField, GtinField, MoneyMinorField, RefField, TextField
from customers.api.serializers import StrictSerializer
from offers.models import Category, Goods, Product, Sensitive
from offers.operations.catalogue import CategoryIn, ProductIn

MAX_CATEGORY_REF_CHARS = 64
MAX_PRICE_MINOR = 2**31 - 1


class CategoryBody(StrictSerializer):
    """`goods` and `never_targeted` hold for the subtree and stay as they are when left out: who writes names must not wipe
    what the law needs."""

    name = TextField(max_length=200)
    parent = RefField(max_length=MAX_CATEGORY_REF_CHARS, required=False, allow_null=True, default=None)
    goods = EnumField(
        choices=Goods.values,
        required=False,
        allow_null=True,
        help_text="What the law caps promotions of; null: as the category above, at the top food.",
    )
    never_targeted = EnumField(
        choices=Sensitive.values,
        required=False,
        allow_null=True,
        help_text="Goods of this kind: no offer may target it, nor what stands below it; null: as the category above.",
    )


class CategoryLine(CategoryBody):
    ref = RefField(max_length=MAX_CATEGORY_REF_CHARS)


class CategoryOut(CategoryLine):
    pass


class ImageUrlField(TextField):
    """An http or https address; null and empty: none."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("validators", [URLValidator(schemes=["http", "https"])])
        super().__init__(
            required=False, allow_blank=True, allow_null=True, default="", max_length=500, **kwargs
        )


class ProductBody(StrictSerializer):
    name = TextField(max_length=300)
    brand = TextField(max_length=128, required=False, allow_null=True, default=None)
    category = RefField(max_length=MAX_CATEGORY_REF_CHARS, required=False, allow_null=True, default=None)
    price_minor = MoneyMinorField(required=False, allow_null=True, default=None, max_value=MAX_PRICE_MINOR)
    currency = CurrencyField(required=False, default="EUR")
    image_url = ImageUrlField()


class ProductLine(ProductBody):
    gtin = GtinField()


class ProductOut(ProductLine):
    pass


def category_in(ref: str, data: dict[str, Any]) -> CategoryIn:
    flags: dict[str, str] = {name: data[name] or "" for name in ("goods", "never_targeted") if name in data}
    return CategoryIn(ref=ref, name=data["name"], parent=data["parent"], flags=flags)


def product_in(gtin: str, data: dict[str, Any]) -> ProductIn:
    return ProductIn(
        gtin=gtin,
        name=data["name"],
        brand=data["brand"],
        category=data["category"],
        price_minor=data["price_minor"],
        currency=data["currency"],
        image_url=data["image_url"] or "",
    )


def render_category(category: Category) -> dict[str, Any]:
    return {
        "ref": category.ref,
        "name": category.name,
        "parent": category.parent.ref if category.parent is not None else None,
        "goods": category.goods or None,
        "never_targeted": category.never_targeted or None,
    }


def render_product(product: Product) -> dict[str, Any]:
    return {
        "gtin": product.gtin,
        "name": product.name,
        "brand": product.brand.name if product.brand is not None else None,
        "category": product.category.ref if product.category is not None else None,
        "price_minor": product.price_minor,
        "currency": product.currency,
        "image_url": product.image_url or None,
    }
