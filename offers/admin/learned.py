"""What was learned: everybody's next basket, and the versions of the response model, of which staff choose the one in use."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.postgres.fields import ArrayField
from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from customers.admin.base import MachineRowsAdmin, Move, Said
from customers.admin.columns import column
from customers.admin.ledgers import BY_CUSTOMER, OF_CUSTOMER
from customers.admin.words import both, say
from offers.admin.learned_words import evidence_words, weight_words
from offers.models import NextBasket, ResponseModel
from offers.operations.response import use_response_model

FIRST = 3  # products in the list
# The names of a row's products in their order; the number of one that is not in the catalogue. Part of the one statement.
_NAMES = """
    ARRAY(SELECT coalesce(nullif(p.name, ''), told.gtin)
            FROM unnest(offers_nextbasket.gtins) WITH ORDINALITY AS told(gtin, place)
            LEFT JOIN offers_product p ON p.gtin = told.gtin
           ORDER BY told.place)
"""


def percent(share: float) -> str:
    """Return a share as staff read it."""
    number = f"{100 * share:.1f}"
    return say(en=f"{number}%", fr=f"{number.replace('.', ',')} %")


def table(rows: Sequence[tuple[Any, Any, Any]]) -> str:
    """Return three columns of text as a table."""
    lines = format_html_join(
        "",
        '<tr><td class="pr-4">{}</td><td class="pr-4">{}</td><td>{}</td></tr>',
        rows,
    )
    return format_html("<table>{}</table>", lines)


def _first_products(row: Any) -> str:
    told = [
        f"{name} ({percent(chance)})" for name, chance in zip(row.names[:FIRST], row.chances, strict=False)
    ]
    return ", ".join(told)


def _products(row: Any) -> str:
    parts = zip(row.names, row.chances, row.own, row.alike, row.together, row.popular, strict=True)
    return table(
        [
            (
                name,
                percent(chance),
                evidence_words(own=own, alike=alike, together=together, popular=popular),
            )
            for name, chance, own, alike, together, popular in parts
        ]
    )


@admin.register(NextBasket)
class NextBasketAdmin(MachineRowsAdmin):
    """Whoever does not allow profiling any more is not shown, even before the next run takes the row away."""

    singular = both(en="next basket", fr="prochain panier")
    title = both(en="Next baskets", fr="Prochains paniers")
    columns = (
        OF_CUSTOMER,
        column("gtins", en="Most probable", fr="Le plus probable", order=False, read=_first_products),
        column("computed_at", en="Worked out", fr="Calculé", order=False),
    )
    details = (
        OF_CUSTOMER,
        column("computed_at", en="Worked out", fr="Calculé"),
        column(
            "gtins",
            en="Products, chance, and what speaks for it",
            fr="Produits, probabilité, et ce qui l’indique",
            read=_products,
        ),
    )
    related = ("customer",)
    searches = (BY_CUSTOMER,)

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request).filter(customer__granted__contains=["profiling"])
        return rows.annotate(names=RawSQL(_NAMES, (), output_field=ArrayField(TextField())))  # noqa: S611


def _figure(model: ResponseModel, name: str) -> str | None:
    value = model.figures.get(name)
    return None if value is None else f"{value:.4f}"


def _weights(model: ResponseModel) -> str:
    weights = model.parameters.get("weights", {})
    ordered = sorted(weights.items(), key=lambda one: -abs(one[1]))
    return table([(*weight_words(name, weight), f"{weight:+.3f}") for name, weight in ordered])


def _use(request: HttpRequest, model: ResponseModel) -> Said:
    use_response_model(version=model.version)
    return Said(
        text=say(
            en=f"Version {model.version} is in use now.",
            fr=f"La version {model.version} est utilisée désormais.",
        )
    )


def _use_none(request: HttpRequest, model: ResponseModel) -> Said:
    use_response_model(version=0)
    return Said(
        text=say(
            en="Decisions use the weights from before anything was learned.",
            fr="Les décisions utilisent les poids d’avant tout apprentissage.",
        ),
        level=messages.SUCCESS,
    )


@admin.register(ResponseModel)
class ResponseModelAdmin(MachineRowsAdmin):
    singular = both(en="response model", fr="modèle de réponse")
    title = both(en="Response models", fr="Modèles de réponse")
    ordering = ("-version",)
    columns = (
        column("version", en="Version", fr="Version"),
        "is_used",
        column("exposures", en="Learned from", fr="Appris de", order=False),
        column("log_loss", en="Error", fr="Erreur", order=False, read=lambda row: _figure(row, "log_loss")),
        column(
            "log_loss_before",
            en="Error of the one before",
            fr="Erreur du précédent",
            order=False,
            read=lambda row: _figure(row, "log_loss_before"),
        ),
        column(
            "calibration_error",
            en="Said beside came, off by",
            fr="Écart entre annoncé et constaté",
            order=False,
            read=lambda row: _figure(row, "calibration_error"),
        ),
        column("auc", en="AUC", fr="AUC", order=False, read=lambda row: _figure(row, "auc")),
        column("trained_at", en="Learned", fr="Appris le", order=False),
    )
    details = (
        *columns,
        column("parameters", en="What moves the chance", fr="Ce qui change la probabilité", read=_weights),
    )
    moves = (
        Move(
            name="use",
            label=both(en="Use this version", fr="Utiliser cette version"),
            needs="offers.change_responsemodel",
            run=_use,
            is_possible=lambda row: not row.is_current,
            asks=lambda row: say(
                en=f"Use version {row.version} for every decision from now on?",
                fr=f"Utiliser la version {row.version} pour toutes les décisions, dès maintenant ?",
            ),
        ),
        Move(
            name="use_none",
            label=both(en="Use what was before all learning", fr="Revenir à l’avant-apprentissage"),
            needs="offers.change_responsemodel",
            run=_use_none,
            is_possible=lambda row: row.is_current,
            is_grave=True,
            asks=lambda row: say(
                en="Use the weights from before anything was learned, for every decision from now on?",
                fr="Utiliser les poids d’avant tout apprentissage pour toutes les décisions, dès maintenant ?",
            ),
        ),
    )

    @admin.display(description=both(en="In use", fr="Utilisée"), boolean=True)
    def is_used(self, row: ResponseModel) -> bool:
        return row.is_current
