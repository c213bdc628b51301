import pytest

from tests.integration.backoffice.office import Office


@pytest.fixture
def office(db: None) -> Office:
    return Office()
