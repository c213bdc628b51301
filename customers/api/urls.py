"""The addresses of the customers' doors, below /v1/.

`me`, `customers/{ref}` and `customers/bulk` are routed in offers.api.urls: their DELETE erases what both apps hold.
"""

from django.urls import path

from customers.api import back_office, me

urlpatterns = [
    path("me/preferences", me.PreferencesView.as_view()),
    path("me/consents", me.ConsentListView.as_view()),
    path("me/devices", me.DeviceListView.as_view()),
    path("me/devices/<str:device_id>", me.DeviceView.as_view()),
    path("customers", back_office.CustomerListView.as_view()),
    path("customers/<str:ref>/tokens", back_office.TokenView.as_view()),
]
