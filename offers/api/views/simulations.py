"""The back office's door to simulations."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.credentials import HasScope
from customers.api.problems import RETRY_AFTER_S, Problem, invalid_problem
from customers.api.views import BackOfficeView
from customers.models import Scope
from offers.api.answers import refusal_errors, refusal_problem
from offers.api.serializers import simulations as shapes
from offers.simulation.values import DraftRefused, SimulationTooLong, UnknownSimulated, Walk
from offers.simulation.walking import simulate

UNKNOWN = {"unknown_customer": "There is no such customer.", "unknown_offer": "There is no such offer."}


class SimulationsView(BackOfficeView):
    permission_classes = (HasScope(Scope.SIMULATIONS_RUN),)

    @extend_schema(
        operation_id="simulations_run",
        summary="What would be decided along a path, with every check of every offer; nothing changes",
        description="The walk begins at `now`. Events are judged alone, as at /v1/events, and each is decided when it "
        "happens; dwells and exits fall due in between, and until half an hour after the last event.",
        request=shapes.SimulationBody,
        responses={200: shapes.SimulationOut},
    )
    def post(self, request: Request) -> Response:
        given = self.body(shapes.SimulationOutside)
        now = given.get("now", self.now)
        walk = Walk(
            customers=tuple(given["customers"]),
            path=shapes.steps_of(given["path"]),
            now=now,
            offers=shapes.offers_of(given["offers"]),
            only_stores=tuple(sorted(self.caller.store_refs)),
        )
        try:
            simulated = simulate(walk, params=settings.RAYON)
        except UnknownSimulated as error:
            raise invalid_problem(field=error.field, code=error.code, message=UNKNOWN[error.code]) from None
        except DraftRefused as error:
            raise _refused(error) from None
        except SimulationTooLong:
            headers = {"Retry-After": str(RETRY_AFTER_S)}
            raise Problem(status=503, detail="The simulation took too long.", headers=headers) from None
        return Response(shapes.render_simulation(simulated, customers=walk.customers, now=now))


def _refused(error: DraftRefused) -> Problem:
    """Return the problem of a draft, its fields under its place in the request."""
    problem = refusal_problem(error.refused)
    errors = [
        {**one, "field": f"offers.{error.index}.{one['field']}"} for one in refusal_errors(error.refused)
    ]
    detail = str(problem.body["detail"])
    return Problem(status=problem.status_code, code=error.refused.code, detail=detail, errors=errors)
