"""The base of every body the API reads."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from customers.api.fields import RefField
from customers.api.problems import invalid_problem
from customers.rules.refs import is_ref

MAX_NAME_CHARS = 64  # of an unknown field, repeated in its error


class StrictSerializer(serializers.Serializer[Any]):
    """An object with these fields and no others; an unknown one is an error with the code `unknown_field`."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        unknown = [name for name in data if name not in self.fields]
        if not unknown:
            return super().to_internal_value(data)
        errors: dict[str, Any] = {}
        try:
            super().to_internal_value(data)
        except serializers.ValidationError as error:
            errors = dict(error.detail) if isinstance(error.detail, dict) else {}
        for name in unknown:
            errors[str(name)[:MAX_NAME_CHARS]] = [ErrorDetail("No such field.", code="unknown_field")]
        raise serializers.ValidationError(errors)


def url_ref(ref: str, *, field: str = "ref", max_chars: int = 128) -> str:
    """Return the outside key of a URL that is about to be created. Raises the 400 of one that cannot be a key."""
    if not is_ref(ref, max_chars=max_chars):
        raise invalid_problem(
            field=field, code="invalid_ref", message=str(RefField.default_error_messages["invalid_ref"])
        )
    return ref
