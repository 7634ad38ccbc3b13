"""Proofs of the person: his password, a code of his second factor, his passkey; at the door and before a signature.

One thing to remember: a wrong code counts like a wrong password, so that nobody tries them all; who has a second factor
has signed in only once he has shown it.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import col, update

from services.identity import lockout, passkeys, second_factor, store
from services.identity.attempts import Attempts
from services.identity.links import Mint
from services.identity.models import AccountRow, SessionRow
from services.identity.passkeys import Site
from services.identity.second_factor import Wrapping
from shared.contracts.identity import Proof
from shared.kit.keys import keyring
from shared.kit.process import Surroundings
from shared.rules.deadlines import PROOF_LIFETIME
from shared.rules.refusals import Refused

TICKET_LIFETIME: Final = timedelta(minutes=10)
"""Between the password and the second factor."""


class Proofs:
    """Weighs what a person shows of himself."""

    def __init__(self, around: Surroundings, attempts: Attempts, mint: Mint) -> None:
        self.around, self.attempts, self.mint = around, attempts, mint
        self.wrapping = Wrapping(keyring(around.settings.codec_key_file, "second-factor"))
        self.site = Site.at(around.settings.base_url("portal"))

    async def ask_for_second(self, account: AccountRow, renewed: str | None) -> None:
        """After the right password: refused ``second_factor_needed`` with a ticket, where there is a second factor."""
        async with self.around.database.transaction() as session:
            ways = await second_factor.ways(session, account.id)
            if ways and renewed:
                await session.exec(
                    update(AccountRow).where(col(AccountRow.id) == account.id).values(password_hash=renewed)
                )
        if ways:
            until = self.around.now() + TICKET_LIFETIME
            ticket = self.mint.seal(f"second|{account.id}|{until.isoformat()}|{_mark(account)}")
            raise Refused("second_factor_needed", ticket=ticket, ways=list(ways))

    async def holder(self, ticket: str) -> AccountRow:
        """Whose sign-in waits for its second factor; refused ``session_ended`` when it waited too long."""
        try:
            word, person_id, until, mark = self.mint.unseal(ticket).split("|")
        except (Refused, ValueError):
            raise Refused("session_ended") from None
        async with self.around.database.transaction() as session:
            account = await store.account(session, person_id) if word == "second" else None
        if account is None or mark != _mark(account) or self.around.now() >= datetime.fromisoformat(until):
            raise Refused("session_ended")
        return account

    async def question(self, account: AccountRow) -> dict[str, Any]:
        """What the person's passkey is to sign."""
        async with self.around.database.transaction() as session:
            await passkeys.forget_old(session, self.around.now())
            return await passkeys.to_use(session, self.site, account.id, self.around.now())

    async def weigh(self, account: AccountRow, proof: Proof, source: str, device: str | None = None) -> bool:
        """Refuse unless one of these proves the person; true when he has used up a recovery code."""
        if proof.passkey is None and not proof.code:
            await self.attempts.weigh(account, account.email, proof.password, source, device)
            return False
        self.attempts.refuse_too_many(account.email, source)
        now = self.around.now()
        async with self.around.database.transaction() as session:
            recovered = False
            if proof.passkey is not None:
                right = await passkeys.weigh(session, self.site, account.id, proof.passkey, now)
            else:
                right, recovered = await second_factor.weigh(session, self.wrapping, account.id, proof.code, now)
            open_ = await lockout.may_sign_in(session, account, device)
        if not (right and open_):
            async with self.around.database.transaction() as session:
                await lockout.wrong(session, account.email, device, now)
            self.attempts.missed(account.email, source)
            raise Refused("wrong_code")
        return recovered

    def refuse_unless_fresh(self, opened: SessionRow) -> None:
        """Refuse ``proof_needed`` where the person has not proved himself in this session for five minutes."""
        if opened.proved_at is None or self.around.now() - opened.proved_at > PROOF_LIFETIME:
            raise Refused("proof_needed")


def _mark(account: AccountRow) -> str:
    """A new password, or any other change of the account, makes a ticket worthless."""
    return str(account.revision)
