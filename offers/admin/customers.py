"""The customer's page with what this house knows of them: one page of decisions, and the lists of the rest."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from customers.admin.customers import CustomerAdmin as WithoutDecisions
from customers.admin.words import both, say
from customers.models import Customer
from offers.admin.decisions import decisions_page

admin.site.unregister(Customer)


@admin.register(Customer)
class CustomerAdmin(WithoutDecisions):
    lists = (
        *WithoutDecisions.lists,
        ("offers.view_nextbasket", "offers_nextbasket", both(en="Next basket", fr="Prochain panier")),
        ("offers.view_coupon", "offers_coupon", both(en="Coupons", fr="Coupons")),
        ("offers.view_visit", "offers_visit", both(en="Visits", fr="Visites")),
        ("offers.view_locationevent", "offers_locationevent", both(en="Events", fr="Événements")),
        ("offers.view_outboxmessage", "offers_outboxmessage", both(en="Messages", fr="Messages")),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decisions_view)
        return [
            path("<int:object_id>/decisions/", view, name="customers_customer_decisions"),
            *super().get_urls(),
        ]

    def links(self, request: HttpRequest, customer: Customer) -> list[dict[str, Any]]:
        links = super().links(request, customer)
        if request.user.has_perm("offers.view_decision"):
            label = say(en="Decisions, with every reason", fr="Décisions, avec chaque raison")
            url = reverse("admin:customers_customer_decisions", args=[customer.pk])
            links.insert(0, {"label": label, "url": url})
        return links

    def decisions_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Show what was decided about one customer, newest first, each with all its candidates."""
        if not request.user.has_perm("offers.view_decision") or not self.has_view_permission(request):
            raise PermissionDenied
        customer = self.get_object(request, str(object_id))
        if customer is None:
            raise Http404
        page, cards = decisions_page(customer_id=customer.pk, number=request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": say(en=f"Decisions about {customer.ref}", fr=f"Décisions sur {customer.ref}"),
            "customer": customer,
            "page": page,
            "cards": cards,
        }
        return TemplateResponse(request, "rayon/decisions.html", context)
