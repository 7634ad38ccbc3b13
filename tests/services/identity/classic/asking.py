"""What is asked of identity about classic accounts, again and again."""

from typing import Any
from uuid import uuid4

from shared.contracts.identity import Kind
from tests.services.identity.territory import Territory

NEW = "Plum-tree-in-42-gardens!"
ODILES, OTHMARS, SYLVIES = "odile@ddpp31.example", "othmar@ddpp81.example", "sylvie@dgccrf.example"


def elsewhere(postal_code: str, country: str = "FR") -> dict[str, Any]:
    """An organisation block with another place."""
    return {
        "organisation": {
            "name": "Albi Bio", "address": "9 lices Jean-Moulin", "postal_code": postal_code, "country": country,
        }
    }  # fmt: skip


async def letters(territory: Territory, request: str) -> list[str]:
    """What the process has on its desk to be posted."""
    return sorted(each.letter for each in (await territory.look(request)).letters)


async def asked_again(territory: Territory, email: str = "ann@tarn.example") -> str:
    """[Demander l'envoi d'un nouveau mot de passe], looked at; the id of the request."""
    key = uuid4().hex
    await territory.post("/password-resets", {"email": email}, **{"Idempotency-Key": key})
    reset = str(await territory.house.one("SELECT id FROM reset WHERE key = :k", k=key))
    await territory.look(reset, Kind.RESET)
    return reset
