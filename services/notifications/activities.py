"""The Temporal door: letters a process orders and waits for. A letter taken is a row; the mailer sends it."""

from services.notifications import store
from services.notifications.letters import ORDERED
from shared.contracts.notifications import LetterOrder, LetterTaken, NotificationActivities
from shared.kit.process import Surroundings
from shared.rules.refusals import Refused


class Letters(NotificationActivities):
    """Fulfils the contract with the same rows as every other letter."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    async def send(self, order: LetterOrder) -> LetterTaken:
        """Write a letter down to be sent, once per key."""
        if order.letter not in ORDERED:
            raise Refused("invalid", field="letter")
        async with self.around.database.transaction() as session:
            letter = await store.take_order(session, order, self.around.now())
        return LetterTaken(str(letter.id), letter.message_id)
