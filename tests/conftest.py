"""Who runs which tests when several processes share them: what takes long and waits much begins first.

One thing to remember: the tests of a file stay together, and those of a folder in ``TOGETHER`` share one installation.
"""

import gc
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from shared.rules import lengths

TOGETHER: Final = ("tests/faults/", "tests/journeys/", "tests/stories/")
"""Folders whose tests speak to one installation of everything; a second one would cost more than it saves."""
FIRST: Final = (
    "tests/faults/test_lives",  # these two count every letter of their installation:
    "tests/faults/test_moments",  # the crowd of five hundred comes after them
    "tests/faults/",
    "tests/journeys/",
    "tests/stories/",
    "tests/deploy/",
    "tests/portal/",
    "tests/services/certificates/",
    "tests/services/",
    "tests/workflows/",
)
"""The longest first, so that no process is left alone with them at the end."""


@pytest.fixture
def otherwise() -> Iterator[Callable[[str], None]]:
    """Sets lengths of clocks otherwise, for one test."""
    yield lengths.use
    lengths.use("")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by FIRST; within a row everything keeps its order."""
    items.sort(key=lambda item: next((n for n, row in enumerate(FIRST) if item.nodeid.startswith(row)), len(FIRST)))


def pytest_collection_finish() -> None:
    """What was collected stays, so the search for garbage passes over it, and is made less often: it was a sixth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """Hand out whole files, and whole folders where the installation is shared."""
    from xdist.scheduler import LoadScopeScheduling

    class ByInstallation(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.split("::", 1)[0])

    config.option.loadscopereorder = False
    return ByInstallation(config, log)
