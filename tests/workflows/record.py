"""`make histories`: tell the stories that have no history yet and keep what the engine wrote down.

    python -m tests.workflows.record                 what is new, or belongs to work that is still open
    python -m tests.workflows.record --shape         agree to the present shape of the workflows
    python -m tests.workflows.record --close         the work is done: from now on its histories stay as they are

A history of closed work is never told again: it stands for lives that run somewhere. Its digest is kept in
`closed.json`, and a test compares. Histories are encrypted as they are in life, with a key made for these tests and
for nothing else, which lies beside them.
"""

import asyncio
import hashlib
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment

from shared.kit.settings import ServiceSettings
from shared.kit.temporal import converter
from tests.workflows import shape
from tests.workflows.conftest import ATTRIBUTES, test_server
from tests.workflows.stories import STAGES, Stage

FOLDER: Final = Path(__file__).with_name("histories")
CLOSED: Final = FOLDER / "closed.json"


def test_converter() -> DataConverter:
    """Our converter with the key of the recorded histories: a test key, worth nothing elsewhere."""
    return converter(ServiceSettings(codec_key_file=FOLDER / "codec.key"))


test_converter.__test__ = False  # type: ignore[attr-defined]


def kept() -> dict[str, list[Path]]:
    """Workflow -> the files of its histories."""
    return {folder.name: sorted(folder.glob("*.json")) for folder in sorted(FOLDER.iterdir()) if folder.is_dir()}


def read(file: Path, of: str = "recorded") -> WorkflowHistory:
    """A history from its file."""
    return WorkflowHistory.from_json(of, file.read_text())


def digest(file: Path) -> str:
    """What a history of closed work is known by."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def closed() -> dict[str, str]:
    """The histories of closed work, with their digests."""
    found: dict[str, str] = json.loads(CLOSED.read_text()) if CLOSED.exists() else {}
    return found


async def told(stage: Stage, story: Callable[[Any], Awaitable[None]]) -> WorkflowHistory:
    """Tell one story on a server of its own; the history of its last run."""
    async with await WorkflowEnvironment.start_time_skipping(
        data_converter=test_converter(), test_server_existing_path=test_server()
    ) as env:
        attributes = AddSearchAttributesRequest(search_attributes=ATTRIBUTES)
        await env.client.operator_service.add_search_attributes(attributes)
        async with stage.enter(env) as hero:
            await story(hero)
            return await env.client.get_workflow_handle(hero.id).fetch_history()


async def record() -> None:
    """Every story whose history does not belong to closed work."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)  # refusals and failures are part of the stories
    settled = closed()
    for stage in STAGES:
        folder = FOLDER / stage.workflow.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for story in stage.stories:
            name = f"{folder.name}/{story.__name__}"
            if name in settled:
                print(f"kept      {name}: it belongs to closed work")
                continue
            history = await told(stage, story)
            (folder / f"{story.__name__}.json").write_text(history.to_json() + "\n")
            print(f"recorded  {name}: {len(history.events)} events")


def close() -> None:
    """From now on these histories stay as they are."""
    settled = closed()
    for workflow, files in kept().items():
        for file in files:
            settled.setdefault(f"{workflow}/{file.stem}", digest(file))
    CLOSED.write_text(json.dumps(settled, indent=1, sort_keys=True) + "\n")


def main(wishes: list[str]) -> int:
    """What the command line asks for."""
    if wishes == ["--close"]:
        close()
    elif wishes == ["--shape"]:
        shape.keep()
    elif not wishes:
        asyncio.run(record())
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # the engine's library may crash while Python shuts down, after the work is done
