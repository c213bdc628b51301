"""The phone's wallet: the customer's own coupons, why they came, and what the customer says of them."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers.api.fields import rfc3339
from customers.api.idempotency import idempotent
from customers.api.paging import paged
from customers.api.problems import invalid_problem
from customers.api.views import CustomerView
from customers.models import Customer
from offers.api import schema
from offers.api.answers import found
from offers.api.serializers import wallet as shapes
from offers.models import Coupon, CouponState, FeedbackKind
from offers.operations.feedback import give_feedback
from offers.queries import wallet as queries

STATE = OpenApiParameter(name="state", type=str, enum=CouponState.values)


class CouponListView(CustomerView):
    @schema.list_schema(
        operation="coupons_list",
        out=shapes.CouponOut,
        name="Coupon",
        summary="The wallet, newest first",
        parameters=[STATE],
    )
    def get(self, request: Request) -> Response:
        state = request.query_params.get("state") or None
        if state is not None and state not in CouponState.values:
            message = f"One of {', '.join(CouponState.values)}."
            raise invalid_problem(field="state", code="invalid_choice", message=message)
        return paged(
            request=request,
            queryset=queries.list_coupons(customer_id=self.caller.customer_id, state=state, now=self.now),
            render=lambda coupons: [shapes.render_coupon(coupon, now=self.now) for coupon in coupons],
            newest_first=True,
        )


class OneCouponView(CustomerView):
    """A door to one coupon of the caller; any other code is a 404."""

    def coupon(self, code: str) -> Coupon:
        return found(queries.get_coupon(customer_id=self.caller.customer_id, code=code))


class CouponView(OneCouponView):
    @schema.get_schema(operation="coupons_get", out=shapes.CouponOut, summary="One coupon")
    def get(self, request: Request, code: str) -> Response:
        return Response(shapes.render_coupon(self.coupon(code), now=self.now))


class FeedbackView(OneCouponView):
    @extend_schema(
        operation_id="coupons_feedback",
        summary="Say that a coupon came, was opened, or was of use",
        request=shapes.FeedbackBody,
        responses={201: shapes.FeedbackOut},
    )
    @idempotent
    def post(self, request: Request, code: str) -> Response:
        coupon = self.coupon(code)
        given = self.body(shapes.FeedbackBody)
        feedback = give_feedback(
            coupon=coupon, kind=FeedbackKind(given["kind"]), note=given["note"], now=self.now
        )
        body = {"kind": feedback.kind, "note": feedback.note, "given_at": rfc3339(feedback.given_at)}
        return Response(body, status=201)


class WhyView(OneCouponView):
    @schema.get_schema(
        operation="coupons_why", out=shapes.WhyOut, summary="Why this customer got this coupon"
    )
    def get(self, request: Request, code: str) -> Response:
        coupon = self.coupon(code)
        decisions = list(
            queries.list_decisions(customer_id=self.caller.customer_id).filter(coupon=coupon)[:1]
        )
        rendered = shapes.render_decisions(decisions, language=language_of(self.caller.customer_id))
        body = shapes.render_coupon(coupon, now=self.now)
        return Response(
            {
                "code": body["code"],
                "offer": body["offer"],
                "reason": coupon.reason,
                "decision": rendered[0] if rendered else None,
            }
        )


class DecisionListView(CustomerView):
    @schema.list_schema(
        operation="decisions_list",
        out=shapes.DecisionOut,
        name="Decision",
        summary="What was decided about the caller, and why, newest first",
    )
    def get(self, request: Request) -> Response:
        language = language_of(self.caller.customer_id)
        return paged(
            request=request,
            queryset=queries.list_decisions(customer_id=self.caller.customer_id),
            render=lambda decisions: shapes.render_decisions(decisions, language=language),
            newest_first=True,
        )


def language_of(customer_id: int) -> str:
    return Customer.objects.values_list("language", flat=True).get(pk=customer_id)
