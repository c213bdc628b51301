"""Every address of the house."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from customers.api.problems import not_found
from customers.api.unsubscribe import unsubscribe
from offers.api.views.health import healthz, readyz

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("healthz", healthz),
    path("readyz", readyz),
    path("u/<str:signed>", unsubscribe),
    path("v1/", include("customers.api.urls")),
    path("v1/", include("offers.api.urls")),
    re_path(r"^v1/", csrf_exempt(not_found)),
]

handler400 = "customers.api.problems.bad_request"
handler404 = "customers.api.problems.not_found"
handler500 = "customers.api.problems.server_error"
