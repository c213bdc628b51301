"""Pieces of the OpenAPI document that several doors share."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from customers.api.schema import PAGE_PARAMETERS, ProblemErrorSerializer, page_of
from offers.api.bulk import NDJSON


def put_schema(*, operation: str, body: Any, out: Any, summary: str) -> Any:
    """Return the schema of an idempotent upsert: 201 when created, 200 when updated."""
    responses = {200: OpenApiResponse(out, "Updated."), 201: OpenApiResponse(out, "Created.")}
    return extend_schema(operation_id=operation, summary=summary, request=body, responses=responses)


def get_schema(*, operation: str, out: Any, summary: str) -> Any:
    return extend_schema(operation_id=operation, summary=summary, responses={200: out})


def list_schema(*, operation: str, out: Any, name: str, summary: str, parameters: Any = ()) -> Any:
    return extend_schema(
        operation_id=operation,
        summary=summary,
        parameters=[*parameters, *PAGE_PARAMETERS],
        responses={200: page_of(out, name=name)},
    )


def delete_schema(*, operation: str, summary: str) -> Any:
    return extend_schema(operation_id=operation, summary=summary, responses={204: None})


def bulk_schema(*, operation: str, line: Any, key: str, name: str, summary: str) -> Any:
    """Return the schema of a bulk write: each line of the body is one `line`, each of the answer one result."""
    result = inline_serializer(
        name=f"{name}BulkResult",
        fields={
            "line": serializers.IntegerField(help_text="From 1."),
            key: serializers.CharField(allow_null=True),
            "status": serializers.ChoiceField(choices=["created", "updated", "rejected"]),
            "error": serializers.CharField(allow_null=True),
            "errors": ProblemErrorSerializer(many=True),
        },
    )
    return extend_schema(
        operation_id=operation,
        summary=summary,
        description="NDJSON: an object on each line of the body, a result on each line of the answer, in order.",
        request={NDJSON: line},
        responses={(200, NDJSON): result},
    )
