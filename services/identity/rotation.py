"""``python -m services.identity rotate [tokens|tools] [--at-once]``: new keys in the place of those that sign.

One thing to remember: nothing is restarted and nobody is signed out. Only ``--at-once``, for a key that got into wrong
hands, ends what the old one has signed; then every process is started anew, for each keeps the public keys it has read.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import typer

from services.identity import chest
from services.identity.provider import TOKEN_LIFETIME
from services.identity.settings import Settings
from shared.kit import clock
from shared.kit.db import Database
from shared.kit.keys import keyring

AT_ONCE: Final = "--at-once"
# fmt: off
CHESTS: Final[dict[str, tuple[Callable[..., chest.Chest[Any]], Callable[[Settings], timedelta]]]] = {
    #  which     the chest               how long what its keys have signed is good
    "tokens":   (chest.for_services,     lambda settings: timedelta(seconds=settings.token_seconds)),
    "tools":    (chest.for_tools,        lambda settings: TOKEN_LIFETIME),
}
# fmt: on


async def rotate(settings: Settings, said: Sequence[str], now: Callable[[], datetime] = clock.now) -> None:
    """Make new signing keys, of both purposes or of the one named, and say what happens when."""
    named = [each for each in said if each != AT_ONCE]
    if unknown := [each for each in named if each not in CHESTS]:
        sys.exit(f"usage: python -m services.identity rotate [{'|'.join(CHESTS)}] [{AT_ONCE}] (not {unknown[0]})")
    database, wrapping = Database(settings.database_url), keyring(settings.codec_key_file, "identity-tokens")
    try:
        for each in named or CHESTS:
            make, lifetime = CHESTS[each]
            done = await make(database, wrapping).rotate(now(), lifetime(settings), AT_ONCE in said)
            signs, gone = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in (done.signs_at, done.retires_at))
            typer.echo(f"{each}: {done.kid} signs from {signs}, the keys before it go at {gone}")
    finally:
        await database.close()
