"""A list of short texts, typed one per line."""

from typing import Any

from django import forms

from customers.admin.words import say


class ListField(forms.CharField):
    """Lines (or comma-separated words) to a list without repeats, and back."""

    def __init__(self, *, max_chars: int, **kwargs: Any) -> None:
        self.max_chars = max_chars
        kwargs.setdefault("widget", forms.Textarea)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return list(value)
        words = [word.strip() for line in (value or "").splitlines() for word in line.split(",")]
        return list(dict.fromkeys(word for word in words if word))

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        if any(len(word) > self.max_chars or "\x00" in word for word in value):
            limit = self.max_chars
            raise forms.ValidationError(
                say(en=f"Each is at most {limit} characters.", fr=f"Chacun a au plus {limit} caractères."),
                code="max_length",
            )

    def run_validators(self, value: Any) -> None:
        """The list has no validators: CharField's speak of a text."""
