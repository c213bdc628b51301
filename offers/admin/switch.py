"""The one switch that stops all sending at once: one page, one button, and who threw it and why."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextInputWidget

from customers.admin.words import both, say
from offers.models import SendingSwitch
from offers.operations.sending import resume_sending, stop_sending

MAX_WHY_CHARS = 300
ROW_ID = "1"
LAST_CHANGES = 20


def is_stopped() -> bool:
    """Return whether sending is stopped; one query."""
    return SendingSwitch.objects.filter(is_stopped=True).exists()


def badge(request: HttpRequest) -> list[Any] | None:
    """Return what the top of every staff page says of sending: a text and its colour; None to strangers."""
    if not (request.user.is_active and request.user.is_staff):
        return None
    if is_stopped():
        return [say(en="Sending is stopped", fr="Envois arrêtés"), "danger"]
    return [say(en="Sending", fr="Envois en cours"), "success"]


class WhyForm(forms.Form):
    why = forms.CharField(
        label=both(en="Why", fr="Pourquoi"), max_length=MAX_WHY_CHARS, widget=UnfoldAdminTextInputWidget
    )
    # what the person saw when they pressed: two who press at once do not undo each other
    wanted = forms.ChoiceField(choices=(("stop", "stop"), ("resume", "resume")), widget=forms.HiddenInput)


@admin.register(SendingSwitch)
class SendingSwitchAdmin(ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:offers_sendingswitch_changelist"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        form = WhyForm(request.POST or None)
        if request.method == "POST":
            if not self.has_change_permission(request):
                raise PermissionDenied
            if form.is_valid():
                self._throw(request, wanted=form.cleaned_data["wanted"], why=form.cleaned_data["why"])
                return HttpResponseRedirect(request.path)
        switch = SendingSwitch.objects.filter(id=1).first() or SendingSwitch()
        form.initial["wanted"] = "resume" if switch.is_stopped else "stop"
        log = LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(SendingSwitch), object_id=ROW_ID
        )
        context = {
            **self.admin_site.each_context(request),
            "title": say(en="Sending", fr="Envois"),
            "switch": switch,
            "form": form,
            "may_throw": self.has_change_permission(request),
            "entries": log.select_related("user").order_by("-action_time", "-id")[:LAST_CHANGES],
        }
        return TemplateResponse(request, "rayon/switch.html", context)

    def _throw(self, request: HttpRequest, *, wanted: str, why: str) -> None:
        throw = stop_sending if wanted == "stop" else resume_sending
        has_changed = throw(who=request.user.get_username(), why=why, now=timezone.now())
        if not has_changed:
            self.message_user(request, say(en="It was so already.", fr="C’était déjà le cas."))
            return
        done = say(en="Stopped", fr="Arrêt") if wanted == "stop" else say(en="Resumed", fr="Reprise")
        LogEntry.objects.create(
            user=cast(User, request.user),  # strangers do not get here
            content_type=ContentType.objects.get_for_model(SendingSwitch),
            object_id=ROW_ID,
            object_repr="sending",
            action_flag=CHANGE,
            change_message=f"{done}: {why}",
        )
        self.message_user(
            request,
            say(en="Nothing more is sent.", fr="Plus rien n’est envoyé.")
            if wanted == "stop"
            else say(en="Messages go out again.", fr="Les messages repartent."),
        )
