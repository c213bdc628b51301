"""The addresses of the customers' doors, below /v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
