"""What a test says of an order that is refused."""

from collections.abc import Awaitable
from typing import Any

import pytest

from shared.rules.refusals import Refused


async def refused(code: str, asked: Awaitable[object]) -> dict[str, Any]:
    """The details of the refusal with this code."""
    with pytest.raises(Refused) as no:
        await asked
    assert no.value.code == code, (no.value.code, no.value.details)
    return dict(no.value.details)
