import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.backoffice.office import Office


@pytest.fixture
def office(db: None) -> Office:
    return Office()


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client
