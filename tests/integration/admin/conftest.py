"""Staff of every role, signed in."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from offers.operations.staff import ensure_groups


@pytest.fixture
def boss(db: None) -> Client:
    """Return a browser in which a superuser is signed in."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


@pytest.fixture
def sign_in(db: None) -> Callable[[str], Client]:
    """Return what signs a new member of a group in; an empty name: staff without any."""

    def signing_in(group: str) -> Client:
        user = User.objects.create_user(f"one of {group or 'nobody'}", is_staff=True)
        if group:
            user.groups.add(ensure_groups()[group])
        client = Client()
        client.force_login(user)
        return client

    return signing_in
