"""What is sold: the tree of categories, products by their number, and the brands that follow from them."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminURLInputWidget, UnfoldBooleanWidget

from customers.admin.base import MachineRowsAdmin
from customers.admin.columns import column, linked
from customers.admin.money import money
from customers.admin.words import both, say
from offers.admin.fields import GtinField, MoneyField, RefField, text_field
from offers.admin.operation_forms import OperationAdmin, OperationForm
from offers.models import Brand, Category, Goods, Product, Sensitive
from offers.operations.catalogue import (
    CategoryIn,
    CategoryInUse,
    ProductIn,
    put_categories,
    put_products,
    remove_category,
    remove_product,
)
from offers.operations.outcomes import Refused, Written

GOODS = (
    (Goods.FOOD.value, both(en="Food", fr="Denrées alimentaires")),
    (
        Goods.HOUSEHOLD.value,
        both(en="Everyday goods, not food", fr="Autres produits de grande consommation"),
    ),
    (Goods.OTHER.value, both(en="Other goods", fr="Autres produits")),
)
SENSITIVE = (
    (Sensitive.HEALTH.value, both(en="Health", fr="Santé")),
    (Sensitive.PHARMACY.value, both(en="Pharmacy", fr="Pharmacie")),
    (Sensitive.RELIGION.value, both(en="Religion", fr="Religion")),
)


def _goods(category: Category) -> str | None:
    return str(dict(GOODS)[category.goods]) if category.goods else None


def _never_targeted(category: Category) -> str | None:
    return str(dict(SENSITIVE)[category.never_targeted]) if category.never_targeted else None


def _in_use(category: Category) -> str:
    return say(
        en=f"{category.name} is in use: first move its products, subcategories, aisles and offers elsewhere.",
        fr=f"{category.name} est utilisée : déplacez d’abord ses produits, sous-catégories, rayons et offres.",
    )


def _is_in_use(category: Category) -> bool:
    """Try the removal and take it back: the operation alone knows what stands against it."""
    try:
        with transaction.atomic():
            remove_category(ref=category.ref)
            transaction.set_rollback(True)
    except CategoryInUse:
        return True
    return False


class CategoryForm(OperationForm):
    places: ClassVar = {"parent": "parent"}

    ref = RefField(label=both(en="Key", fr="Clé"), max_chars=64)
    name = text_field(label=both(en="Name", fr="Nom"), max_chars=200, required=True)
    goods = forms.ChoiceField(
        label=both(en="Goods, by law", fr="Nature des produits, selon la loi"),
        choices=(
            ("", both(en="As above (at the top: food)", fr="Comme au-dessus (au sommet : denrées)")),
            *GOODS,
        ),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=both(
            en="Decides how deep a promotion may go here and below.",
            fr="Décide jusqu’où une promotion peut aller, ici et en dessous.",
        ),
    )
    never_targeted = forms.ChoiceField(
        label=both(en="Never targeted", fr="Jamais ciblée"),
        choices=(("", both(en="As above", fr="Comme au-dessus")), *SENSITIVE),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=both(
            en="What is bought here would tell of somebody’s health or faith: no offer may target it.",
            fr="Ce qu’on achète ici en dirait trop sur la santé ou la foi : aucune offre ne peut la viser.",
        ),
    )

    is_sensitive = forms.BooleanField(
        label=both(en="Keep off lock screens", fr="À cacher sur l’écran verrouillé"),
        help_text=both(
            en="What is bought here, and in what stands under it, is nobody else’s business.",
            fr="Ce que l’on y achète, comme dans ce qui se trouve dessous, ne regarde personne d’autre.",
        ),
        required=False,
        widget=UnfoldBooleanWidget,
    )

    class Meta:
        model = Category
        fields = ("ref", "name", "parent", "goods", "never_targeted", "is_sensitive")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["parent"].label = both(en="Stands under", fr="Se trouve sous")
        self.fields["ref"].disabled = bool(self.instance.pk)

    def clean_ref(self) -> str:
        ref: str = self.cleaned_data["ref"]
        if not self.instance.pk and Category.objects.filter(ref=ref).exists():
            raise forms.ValidationError(say(en="A category has this key.", fr="Une catégorie a cette clé."))
        return ref

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        parent = self.cleaned_data["parent"]
        category = CategoryIn(
            ref=self.cleaned_data["ref"],
            name=self.cleaned_data["name"],
            parent=parent.ref if parent else None,
            flags={name: self.cleaned_data[name] for name in ("goods", "never_targeted")},
            is_sensitive=self.cleaned_data["is_sensitive"],
        )
        [outcome] = put_categories(categories=[category], now=now)
        return outcome


@admin.register(Category)
class CategoryAdmin(OperationAdmin):
    singular = both(en="category", fr="catégorie")
    title = both(en="Categories", fr="Catégories")
    form = CategoryForm
    columns = (
        column("name", en="Category", fr="Catégorie"),
        column("ref", en="Key", fr="Clé"),
        linked("parent", en="Stands under", fr="Se trouve sous", needs="offers.view_category"),
        column("goods", en="Goods, by law", fr="Nature, selon la loi", read=_goods, order=False),
        column("never_targeted", en="Never targeted", fr="Jamais ciblée", read=_never_targeted, order=False),
        column("product_count", en="Products", fr="Produits", order=False),
    )
    details = columns
    form_fieldsets = (
        (None, {"fields": (("ref", "name"), "parent", ("goods", "never_targeted"), "is_sensitive")}),
    )
    autocomplete_fields = ("parent",)
    related = ("parent",)
    searches = (("name__icontains", ""), ("ref__startswith", ""))
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(product_count=Count("products"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        rows = list(objs)
        names, counts, missing, _ = super().get_deleted_objects(rows, request)
        return names, counts, missing, [_in_use(row) for row in rows if _is_in_use(row)]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_category(ref=obj.ref)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for category in queryset.order_by("id"):
            self.delete_model(request, category)


class ProductForm(OperationForm):
    places: ClassVar = {"category": "category"}

    gtin = GtinField(label=both(en="Product number (GTIN)", fr="Code du produit (GTIN)"))
    name = text_field(label=both(en="Name", fr="Nom"), max_chars=300, required=True)
    brand_name = text_field(label=both(en="Brand", fr="Marque"), max_chars=128)
    price = MoneyField(label=both(en="Price in euros", fr="Prix en euros"), required=False)
    image_url = forms.URLField(
        label=both(en="Address of its picture", fr="Adresse de son image"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget,
    )

    class Meta:
        model = Product
        fields = ("gtin", "name", "category", "image_url")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].label = both(en="Category", fr="Catégorie")
        if self.instance.pk:
            self.fields["gtin"].disabled = True
            brand = self.instance.brand
            self.initial.update(price=self.instance.price_minor, brand_name=brand.name if brand else "")

    def clean_gtin(self) -> str:
        gtin: str = self.cleaned_data["gtin"]
        if not self.instance.pk and Product.objects.filter(gtin=gtin).exists():
            raise forms.ValidationError(say(en="A product has this number.", fr="Un produit a ce code."))
        return gtin

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        data = self.cleaned_data
        product = ProductIn(
            gtin=data["gtin"],
            name=data["name"],
            brand=data["brand_name"] or None,
            category=data["category"].ref if data["category"] else None,
            price_minor=data["price"],
            currency=self.instance.currency or "EUR",
            image_url=data["image_url"],
        )
        [outcome] = put_products(products=[product], now=now)
        return outcome


@admin.register(Product)
class ProductAdmin(OperationAdmin):
    singular = both(en="product", fr="produit")
    title = both(en="Products", fr="Produits")
    form = ProductForm
    columns = (
        column("name", en="Product", fr="Produit"),
        column("gtin", en="Number", fr="Code", order=False),
        linked("brand", en="Brand", fr="Marque", needs="offers.view_brand"),
        linked("category", en="Category", fr="Catégorie", needs="offers.view_category"),
        column(
            "price_minor",
            en="Price",
            fr="Prix",
            read=lambda row: (
                None if row.price_minor is None else money(minor=row.price_minor, currency=row.currency)
            ),
        ),
    )
    details = columns
    form_fieldsets = (
        (None, {"fields": (("gtin", "name"), ("brand_name", "category"), "price", "image_url")}),
    )
    autocomplete_fields = ("category",)
    related = ("brand", "category")
    searches = (("name__icontains", ""), ("gtin__exact", ""), ("brand__name__icontains", "offers.view_brand"))
    ordering = ("name", "id")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        remove_product(gtin=obj.gtin, now=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for product in queryset.order_by("id"):
            remove_product(gtin=product.gtin, now=timezone.now())


@admin.register(Brand)
class BrandAdmin(MachineRowsAdmin):
    """Brands come with their products; the key is the name without case, accents and spaces."""

    singular = both(en="brand", fr="marque")
    title = both(en="Brands", fr="Marques")
    columns = (
        column("name", en="Brand", fr="Marque"),
        column("key", en="Counted as", fr="Comptée comme", order=False),
        column("product_count", en="Products", fr="Produits", order=False),
    )
    searches = (("name__icontains", ""), ("key__startswith", ""))
    ordering = ("name", "id")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(product_count=Count("products"))
