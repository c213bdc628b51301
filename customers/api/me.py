"""The phone's doors to its own customer: profile, preferences, consents, devices."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from customers import operations, queries
from customers.api import device_shapes, shapes
from customers.api.credentials import InvalidCredentials
from customers.api.idempotency import idempotent
from customers.api.paging import paged
from customers.api.problems import not_found_problem
from customers.api.schema import PAGE_PARAMETERS, page_of
from customers.api.serializers import url_ref
from customers.api.views import CustomerView
from customers.models import Customer


class OwnView(CustomerView):
    def me(self) -> Customer:
        """Return the caller. Raises InvalidCredentials for one who was erased a moment ago."""
        customer = queries.get_customer(customer_id=self.caller.customer_id)
        if customer is None:
            raise InvalidCredentials
        return customer


class MeView(OwnView):
    @extend_schema(operation_id="me_get", summary="The caller's profile", responses=shapes.MeOut)
    def get(self, request: Request) -> Response:
        return Response(shapes.render_me(self.me()))


class PreferencesView(OwnView):
    @extend_schema(
        operation_id="preferences_get", summary="The terms that hold now", responses=shapes.PreferencesOut
    )
    def get(self, request: Request) -> Response:
        return Response(shapes.render_preferences(self.me()))

    @extend_schema(
        operation_id="preferences_patch",
        summary="Set terms; what is absent keeps its value",
        request=shapes.PreferencesBody,
        responses=shapes.PreferencesOut,
    )
    def patch(self, request: Request) -> Response:
        changes = shapes.preference_changes(self.body(shapes.PreferencesBody))
        customer = operations.update_preferences(
            customer_id=self.caller.customer_id, changes=changes, now=self.now
        )
        return Response(shapes.render_preferences(customer))


class ConsentListView(CustomerView):
    @extend_schema(
        operation_id="consents_list",
        summary="Every word the caller gave or took back, newest first",
        parameters=PAGE_PARAMETERS,
        responses=page_of(shapes.ConsentOut, name="Consent"),
    )
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_consents(customer_id=self.caller.customer_id),
            render=shapes.render_consents,
            newest_first=True,
        )

    @extend_schema(
        operation_id="consents_post",
        summary="Give a word, or take it back",
        request=shapes.ConsentBody,
        responses={201: shapes.ConsentOut},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = self.body(shapes.ConsentBody)
        consent = operations.record_consent(customer_id=self.caller.customer_id, **given, now=self.now)
        return Response(shapes.render_consents([consent])[0], status=201)


class DeviceListView(CustomerView):
    @extend_schema(
        operation_id="devices_list",
        summary="The caller's phones and browsers; never their push addresses",
        parameters=PAGE_PARAMETERS,
        responses=page_of(device_shapes.DeviceOut, name="Device"),
    )
    def get(self, request: Request) -> Response:
        return paged(
            request=request,
            queryset=queries.list_devices(customer_id=self.caller.customer_id),
            render=shapes.render_devices,
        )


class DeviceView(CustomerView):
    @extend_schema(
        operation_id="devices_put",
        summary="Register or renew a push address; it leaves whoever had it before",
        request=device_shapes.DeviceBody,
        responses={200: device_shapes.DeviceOut, 201: device_shapes.DeviceOut},
    )
    def put(self, request: Request, device_id: str) -> Response:
        url_ref(device_id, field="device_id")
        given = self.body(device_shapes.DeviceBody)
        device, is_new = operations.register_device(
            customer_id=self.caller.customer_id,
            device_id=device_id,
            address=device_shapes.push_address(given),
            app_version=given.get("app_version", ""),
            os_version=given.get("os_version", ""),
            now=self.now,
        )
        return Response(shapes.render_devices([device])[0], status=201 if is_new else 200)

    @extend_schema(
        operation_id="devices_delete", summary="Forget a device and its push address", responses={204: None}
    )
    def delete(self, request: Request, device_id: str) -> Response:
        if not operations.remove_device(customer_id=self.caller.customer_id, device_id=device_id):
            raise not_found_problem()
        return Response(status=204)
