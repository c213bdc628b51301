"""A local FCM for all tests of delivery, and the worker's lanes to it."""

from collections.abc import Iterator

import pytest

from offers.stages.deliver import Lanes
from providers.testing import RunningFcm, running_fcm
from tests.integration.delivery.outbox import open_lanes


@pytest.fixture(scope="session")
def local_fcm() -> Iterator[RunningFcm]:
    with running_fcm() as fcm:
        yield fcm


@pytest.fixture
def fcm(local_fcm: RunningFcm) -> RunningFcm:
    local_fcm.reset()
    return local_fcm


@pytest.fixture
def lanes(fcm: RunningFcm) -> Iterator[Lanes]:
    with open_lanes(base_url=fcm.base_url, credentials_file=fcm.credentials_file) as opened:
        yield opened
