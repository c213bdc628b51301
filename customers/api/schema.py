"""What the OpenAPI document says about every door: credentials, problems, the Idempotency-Key."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from customers.api.credentials import CustomerOnly, HasScope

PROBLEM_MEDIA_TYPE = "application/problem+json"


class ProblemErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    rule = serializers.CharField(required=False, help_text="With `legal_guard`: the rule of French law.")
    messages = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="With `legal_guard`: by language, fr and en."
    )


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)


PAGE_PARAMETERS = [
    OpenApiParameter(name="limit", type=int, description="1 to 200; 50 without it."),
    OpenApiParameter(name="cursor", type=str, description="From `next` or `previous`."),
]


def page_of(serializer: type[serializers.BaseSerializer[Any]], *, name: str) -> serializers.Serializer[Any]:
    """Return the schema of a page of these; `name` is unique in the document."""
    return inline_serializer(
        name=f"{name}Page",
        fields={
            "results": serializer(many=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
        },
    )


class RayonSchema(AutoSchema):
    """Adds to each operation its problem answer, its credentials by permission, and its Idempotency-Key."""

    def get_auth(self) -> list[dict[str, list[str]]]:
        found: list[dict[str, list[str]]] = []
        for permission in self.view.get_permissions():
            if isinstance(permission, CustomerOnly):
                found.append({"customerToken": []})
            elif isinstance(permission, HasScope):
                found.append({"apiKey": []})
        super().get_auth()  # registers the security schemes
        return found

    def get_description(self) -> str:
        said = str(super().get_description() or "")
        for permission in self.view.get_permissions():
            if isinstance(permission, HasScope):
                also = permission.read_with if self.method == "GET" else ()
                scopes = " or ".join(f"`{scope}`" for scope in (permission.scope, *also))
                said = f"{said}\n\nScope: {scopes}.".strip()
        return said

    def get_override_parameters(self) -> list[Any]:
        method = getattr(self.view, self.method.lower(), None)
        wanted = getattr(method, "idempotency", None)
        if wanted is None:
            return []
        return [
            OpenApiParameter(
                name="Idempotency-Key",
                type=str,
                location=OpenApiParameter.HEADER,
                required=wanted == "required",
                description="1 to 255 characters, kept for 72 h.",
            )
        ]

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        bodies["default"] = self._get_response_for_code(
            ProblemSerializer, "default", [PROBLEM_MEDIA_TYPE], direction
        )
        return bodies


class CustomerTokenScheme(OpenApiAuthenticationExtension):
    target_class = "customers.api.credentials.BearerAuthentication"
    name = "customerToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A customer's token, one per device."}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "customers.api.credentials.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Api-Key <key>`: a till's or back office's key, with scopes.",
        }
