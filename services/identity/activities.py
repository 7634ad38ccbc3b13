"""The Temporal door: the paper of the processes of accounts."""

from services.identity import classic, creations, lives, profile, resets
from services.identity.links import Mint
from shared.contracts.identity import Course, IdentityActivities, Kind, Rung, Taken, Which
from shared.kit.keys import keyring
from shared.kit.process import Surroundings
from shared.rules.refusals import Refused


class Paper(IdentityActivities):
    """The identity service, as the workflows see it: one transaction for each step."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.mint = Mint(keyring(around.settings.codec_key_file, "identity-links"))

    async def look(self, which: Which) -> Course:
        """The process as it stands on paper; a link that was asked for is minted here."""
        async with self.around.database.transaction() as session:
            match which.kind:
                case Kind.CREATION:
                    return await creations.look(session, self.mint, which.id, self.around.now())
                case Kind.VALIDATION:
                    return await classic.look(session, self.mint, which.id, self.around.now())
                case Kind.RESET:
                    return await resets.look(session, self.mint, which.id, self.around.now())
                case Kind.LIFE:
                    return await lives.look(session, self.mint, which.id, self.around.now())
                case Kind.CHANGE:
                    return await profile.look(session, which.id)
        raise Refused("invalid", field="kind")

    async def take(self, taken: Taken) -> Course:
        """Take one step on paper: row, journal and event, or nothing."""
        async with self.around.database.transaction() as session:
            match taken.step.kind, taken.step.name:
                case Kind.CREATION, "confirm":
                    return await creations.confirm(session, self.mint, taken, self.around.now())
                case Kind.VALIDATION, "confirm" | "disown":
                    return await classic.confirm(session, self.mint, taken, self.around.now())
                case Kind.VALIDATION, _:
                    return await classic.decide(session, self.mint, taken, self.around.now())
                case Kind.RESET, "confirm":
                    return await resets.confirm(session, self.mint, taken, self.around.now())
        raise Refused("unknown_action")

    async def ring(self, rung: Rung) -> Course:
        """Write down that a clock has rung, once, with what follows."""
        async with self.around.database.transaction() as session:
            match rung.kind:
                case Kind.CREATION:
                    return await creations.ring(session, rung, self.around.now())
                case Kind.VALIDATION:
                    return await classic.ring(session, self.mint, rung, self.around.now())
                case Kind.RESET:
                    return await resets.ring(session, rung, self.around.now())
                case Kind.LIFE:
                    return await lives.ring(session, self.mint, rung, self.around.now())
                case Kind.CHANGE:
                    return await profile.ring(session, rung, self.around.now())
        raise Refused("invalid", field="kind")
