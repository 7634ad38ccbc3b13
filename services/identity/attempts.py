"""Attempts to prove who one is: the same answer and the same time for unknown, wrong and blocked, and not too many."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from services.identity import lockout
from services.identity.models import AccountRow
from services.identity.passwords import Passwords
from services.identity.rules import email_key
from services.identity.settings import Settings
from shared.kit.db import Database
from shared.rules.refusals import Refused


@dataclass
class Attempts:
    """Weighs one attempt at a time per place in the pool, so that a crowd of guesses cannot pass the limit at once."""

    settings: Settings
    passwords: Passwords
    database: Database
    now: Callable[[], datetime]
    _limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    def __post_init__(self) -> None:
        self._per_account = parse(self.settings.attempts_per_account)
        self._per_source = parse(self.settings.attempts_per_source)
        self._room = asyncio.Semaphore(self.settings.hashes_at_once)

    async def weigh(
        self, account: AccountRow | None, email: str, password: str, source: str, device: str | None = None
    ) -> str | None:
        """Refuse unless the password is right and the account may sign in; a new hash when the old one is outdated."""
        async with self._room:
            self.refuse_too_many(email, source)
            right, renewed = await self.passwords.matches(password, account.password_hash if account else None)
            async with self.database.transaction() as session:
                open_ = await lockout.may_sign_in(session, account, device)
                if not (right and open_):
                    await lockout.wrong(session, email, device, self.now())
            if account is None or not (right and open_):
                self.missed(email, source)
                raise Refused("bad_credentials")
        if account.demo and not self.settings.demo:
            raise Refused("demo_only")
        self._limiter.clear(self._per_account, "account", email_key(email), source)
        return renewed

    def missed(self, email: str, source: str) -> None:
        """One wrong attempt more for this address from there."""
        self._limiter.hit(self._per_account, "account", email_key(email), source)
        self._limiter.hit(self._per_source, "source", source)

    def refuse_too_many(self, email: str, source: str) -> None:
        """Refuse when there were too many wrong attempts for this address, or from there."""
        account = self._limiter.test(self._per_account, "account", email_key(email), source)
        if not account or not self._limiter.test(self._per_source, "source", source):
            raise Refused("too_many_attempts")
