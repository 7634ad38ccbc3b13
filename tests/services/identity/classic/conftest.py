"""A territory with its authorities, for everything about classic accounts."""

import pytest

from services.identity.activities import Paper
from tests.services.conftest import Fill
from tests.services.identity.conftest import House
from tests.services.identity.territory import Territory, settled


@pytest.fixture
def fill() -> Fill:
    return settled


@pytest.fixture
def territory(house: House) -> Territory:
    return Territory(house, Paper(house.around))
