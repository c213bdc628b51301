"""Forms whose last check is the operation itself: what it refuses stands beside the field that it means."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from customers.admin.base import StaffAdmin
from customers.admin.columns import permitted
from offers.admin.refusals import sentence_of, sentences_of
from offers.operations.outcomes import Refused, Written


class OperationForm(forms.ModelForm):
    """`write` calls the operation once every field is good; its row becomes the form's instance.

    The admin opens a transaction around the whole page, and an operation that refuses leaves nothing behind.
    """

    # path in the API's shape, or its beginning -> the form's field
    places: ClassVar[Mapping[str, str]] = {}

    def write(self, *, now: datetime) -> Written[Any] | Refused:
        raise NotImplementedError

    def _post_clean(self) -> None:
        if self.errors:
            return
        outcome = self.write(now=timezone.now())
        if isinstance(outcome, Written):
            self.instance = outcome.row
            return
        for wrong in outcome.wrongs:
            self.add_error(self._field(wrong.field), sentence_of(wrong))
        if not outcome.wrongs:
            self.add_error(None, sentences_of(outcome))

    def _field(self, path: str) -> str | None:
        name = next((name for start, name in self.places.items() if path.startswith(start)), None)
        return name if name in self.fields else None

    def _save_m2m(self) -> None:
        """The operation wrote these, too."""


class OperationAdmin(StaffAdmin):
    """Rows that change through operations only: the form has written when it is valid.

    Who may not change a row reads its `details` instead of the form.
    """

    form_fieldsets: ClassVar[Sequence[Any]] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if self._may_write(request, obj):
            return list(self.form_fieldsets)
        return [(None, {"fields": permitted(self.details, request=request)})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [] if self._may_write(request, obj) else permitted(self.details, request=request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if not self._may_write(request, obj):
            kwargs["form"] = forms.ModelForm  # nothing of it is shown
        return super().get_form(request, obj, change, **kwargs)

    def _may_write(self, request: HttpRequest, obj: Any) -> bool:
        return self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """The form's operation wrote the row."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Name the rows alone: an operation removes them, nothing is deleted in their wake."""
        rows = list(objs)
        return [str(row) for row in rows], {str(self.opts.verbose_name_plural): len(rows)}, set(), []
