"""A role that ended has ended everywhere before whoever ended it is answered.

One thing to remember: the news does the work, and would do it without us. Here is only waited, and never long: when
identity or the bus is away, the answer comes all the same, and gatekeepers ask for themselves within a second.
"""

import asyncio
from typing import Final

from shared.kit.process import Surroundings
from shared.rules.refusals import Refused

PATIENCE: Final = 2.0
AGAIN: Final = 0.025
CARRIED: Final = 0.2
"""Seconds in which the end of a session is carried from identity to every process."""


async def heard(around: Surroundings, person_id: str, organisation_id: str) -> None:
    """Until identity has forgotten this post and the others know which sessions ended with it."""
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                posts = await around.others.get("identity", f"/people/{person_id}/posts")
                if organisation_id not in posts:
                    break
                await asyncio.sleep(AGAIN)
            await asyncio.sleep(CARRIED)
    except (TimeoutError, Refused):
        return
