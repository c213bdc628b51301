"""What every staff page stands on: unfold's look, columns by permission, steps that are posted, and read-only rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

from customers.admin.columns import permitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A step that staff take on one row, by a button on its page. `run` does it and returns what to say."""

    name: str
    label: Any
    needs: str  # permission
    run: Callable[[HttpRequest, Any], "Said"]
    is_possible: Callable[[Any], bool] = lambda row: True
    is_grave: bool = False  # cannot be taken back: shown in red
    asks: Callable[[Any], str] | None = None  # what is asked on a page of its own before the step is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    text: str
    level: int = messages.SUCCESS


class StaffAdmin(ModelAdmin):
    """A page whose columns, lines and searches keep to what the person may see. Foreign keys by search only."""

    singular: ClassVar[Any] = None  # what one row is called, and what the list is; else the model's own names
    title: ClassVar[Any] = None
    columns: ClassVar[Sequence[Any]] = ()
    details: ClassVar[Sequence[Any]] = ()  # read-only lines of the row's page, above the form
    searches: ClassVar[Sequence[tuple[str, str]]] = ()  # (lookup, permission that it needs)
    moves: ClassVar[Sequence[Move]] = ()
    related: ClassVar[Sequence[str]] = ()  # select_related of the list and of the page
    list_per_page = 50
    show_full_result_count = False
    compressed_fields = True
    warn_unsaved_form = True
    change_form_outer_before_template = "rayon/moves.html"

    def __init__(self, model: type[Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        # Django's own sentences ("Delete …", "Add …") speak of rows by these; migrations do not see them
        self.opts.verbose_name = self.singular or self.opts.verbose_name
        self.opts.verbose_name_plural = self.title or self.opts.verbose_name_plural
        self.search_fields = [lookup for lookup, _ in self.searches]  # what Django's checks look at

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return permitted(self.columns, request=request)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [lookup for lookup, needs in self.searches if not needs or request.user.has_perm(needs)]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return [*super().get_readonly_fields(request, obj), *permitted(self.details, request=request)]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        more = {"title": self.title} if self.title is not None else {}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        steps = []
        if object_id is not None and request.method == "GET":
            row = self.get_object(request, object_id)
            if row is not None:
                steps = [
                    {
                        "label": move.label,
                        "url": self._move_url(move, row),
                        "is_grave": move.is_grave,
                        "method": "get" if move.asks else "post",
                    }
                    for move in self.moves
                    if request.user.has_perm(move.needs) and move.is_possible(row)
                ]
        return super().changeform_view(
            request, object_id, form_url, {"moves": steps, **(extra_context or {})}
        )

    def get_urls(self) -> list[URLPattern]:
        meta = self.opts
        own = [
            path(
                f"<path:object_id>/{move.name}/",
                self.admin_site.admin_view(self._move_view(move)),
                name=f"{meta.app_label}_{meta.model_name}_{move.name}",
            )
            for move in self.moves
        ]
        return [*own, *super().get_urls()]

    def _move_url(self, move: Move, row: Model) -> str:
        meta = self.opts
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_{move.name}", args=[row.pk])

    def _asked(self, request: HttpRequest, row: Any, *, move: Move, question: str) -> HttpResponse:
        meta = self.opts
        context = {
            **self.admin_site.each_context(request),
            "title": str(row),
            "question": question,
            "move": move,
            "back": reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk]),
        }
        return TemplateResponse(request, "rayon/sure.html", context)

    def _move_view(self, move: Move) -> Callable[..., HttpResponse]:
        def view(request: HttpRequest, object_id: str) -> HttpResponse:
            if request.method != "POST" and not (move.asks and request.method == "GET"):
                return HttpResponseNotAllowed(["POST"])
            if not request.user.has_perm(move.needs):
                raise PermissionDenied
            row = self.get_object(request, object_id)
            if row is None:
                raise Http404
            if move.asks and request.method == "GET":
                return self._asked(request, row, move=move, question=move.asks(row))
            said = move.run(request, row)
            if said.level == messages.SUCCESS:
                self.log_change(request, row, str(move.label))
            self.message_user(request, said.text, said.level)
            meta = self.opts
            return HttpResponseRedirect(
                reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
            )

        return view


class MachineRowsAdmin(StaffAdmin):
    """Rows that the service writes: to be read, searched and acted on by name; never added, edited or deleted."""

    paginator = InfinitePaginator  # counting millions of rows is not worth a page number
    ordering = ("-id",)
    list_disable_select_all = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return permitted(self.details or self.columns, request=request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)
