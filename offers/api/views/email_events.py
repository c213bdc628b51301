"""The mail provider's door to us: what became of mails that it had taken. Off without EMAIL_EVENTS_KEY."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import InvalidCredentials
from customers.api.problems import invalid_problem, not_found_problem
from customers.api.views import ApiView
from offers.gateways.email_events import NotTheProvider, Unreadable, provider_of, read_events
from offers.operations.mail_events import note_mail_events


class EmailEventsView(ApiView):
    authentication_classes = ()
    permission_classes = ()
    http_method_names = ("post", "head")  # some providers ask once, with HEAD, whether somebody is there

    @extend_schema(exclude=True)  # for the provider alone, in the provider's words
    def post(self, request: Request) -> Response:
        """Answer the same whether or not the mails are ours."""
        provider, key = _opened()
        try:
            events = read_events(request._request, provider=provider, key=key)
        except NotTheProvider as error:
            raise InvalidCredentials from error
        except Unreadable as error:
            raise invalid_problem(field="", message="Not an event in the provider's form.") from error
        note_mail_events(events, now=self.now)
        return Response(status=204)

    @extend_schema(exclude=True)
    def head(self, request: Request) -> Response:
        _opened()
        return Response(status=204)


def _opened() -> tuple[str, str]:
    """Return the provider and its key. Raises the 404 of a door that is off."""
    provider, key = provider_of(settings.EMAIL_BACKEND), settings.PROVIDERS.email.events_key
    if provider is None or not key:
        raise not_found_problem()
    return provider, key
