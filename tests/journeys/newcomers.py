"""Somebody without an account, from the form to the session, with links taken from real letters."""

import asyncio
import re
from typing import Any, Final
from uuid import uuid4

import httpx2
from altcha import Challenge, Payload, solve_challenge

from deploy.local.mailbox import Letter
from deploy.local.stack import Stack
from tests.journeys.people import JSON, SECRETS, Person, until

PASSWORD: Final = "Plum-tree-in-42-gardens!"
PLACE: Final = {"address": "27 chemin de Lapujade", "postal_code": "31200", "city": "Toulouse", "country": "FR"}
ANSWER: Final = "Zorro d'Été "


class Newcomer:
    """Somebody without an account, at identity's door."""

    def __init__(self, stack: Stack, web: httpx2.AsyncClient, email: str) -> None:
        self.stack, self.web, self.email = stack, web, email
        self.identity = stack.addresses["identity"]

    async def posts(self, path: str, body: JSON | None = None, key: str = "", **headers: str) -> httpx2.Response:
        """One request with a key of its own."""
        keyed = {"Idempotency-Key": key or uuid4().hex, "Accept-Language": "en", **headers}
        return await self.web.post(f"{self.identity}{path}", json=body, headers=keyed)

    async def proof(self) -> str:
        """What a browser does with the challenge."""
        said = (await self.web.get(f"{self.identity}/registrations/challenge")).json()["challenge"]
        challenge = Challenge.from_dict(said)
        solution = await asyncio.to_thread(solve_challenge, challenge)
        assert solution is not None
        return Payload(challenge, solution).to_base64()

    async def registers(self, key: str = "", **changes: Any) -> httpx2.Response:
        """Fills in the form."""
        form = {
            "first_name": "Zoë", "last_name": "O'Brien-Πέτρου", "email": self.email, "email_again": self.email,
            "language": "en", "privacy": True, "proof": await self.proof(),
        }  # fmt: skip
        return await self.posts("/registrations", form | changes, key)

    def letters(self, subject: str) -> list[Letter]:
        """The letters with this subject in this person's mailbox, the newest first."""
        box = self.stack.letters
        found = [box.get(each.id) for each in box.all() if self.email in " ".join(each.to)]
        return [each for each in found if each and subject in each.summary.subject]

    async def secret(self, subject: str = "Choose your password", number: int = 1) -> str:
        """What the link in the newest of so many letters carries."""
        await until(lambda: len(self.letters(subject)) >= number)
        carried = str(self.letters(subject)[0].links[0].rsplit("/", 1)[1])
        SECRETS.add(carried)
        return carried

    async def signs_in(self, password: str = PASSWORD) -> httpx2.Response:
        """Tries to."""
        return await self.posts("/sessions", {"email": self.email, "password": password})

    async def comes_in(self, **changes: Any) -> Person:
        """The whole way: form, letter, link, password, session."""
        assert (await self.registers(**changes)).status_code == 202
        subject = "Choisissez votre mot de passe" if changes.get("language") == "fr" else "Choose your password"
        opened = (await self.posts("/links/opened", {"secret": await self.secret(subject)})).json()
        chosen = {"form": opened["form"], "password": PASSWORD, "password_again": PASSWORD}
        assert (await self.posts("/passwords", chosen)).status_code == 200
        person = Person(self.web, self.stack.addresses, self.email, str(changes.get("language", "en")))
        return await person.signs_in(PASSWORD)


class Applicant(Newcomer):
    """Somebody who fills in the classic form."""

    def __init__(self, stack: Stack, web: httpx2.AsyncClient, name: str) -> None:
        mark = uuid4().hex[:8]
        super().__init__(stack, web, f"{name.lower()}+{mark}@lapujade.example")
        self.first, self.company = name, f"Lapujade {mark}"

    async def asks(self, **changes: Any) -> None:
        """Sends the form."""
        form = {
            "email": self.email, "password": PASSWORD, "password_again": PASSWORD, "question": "hero",
            "answer": ANSWER, "organisation": {"name": self.company, **PLACE}, "first_name": self.first,
            "last_name": "O'Neill-Πέτρου", "language": "en", "privacy": True, "proof": await self.proof(),
        }  # fmt: skip
        answer = await self.posts("/registrations/classic", form | changes)
        assert (answer.status_code, answer.json()["days"]) == (202, 7), answer.text

    async def confirms(self) -> JSON:
        """Opens the link of the letter, and says that the request is his."""
        opened = (
            await self.posts("/registrations/classic/opened", {"secret": await self.secret("Confirmation req")})
        ).json()
        assert opened["organisation"]["name"] == self.company
        answer = await self.posts("/registrations/classic/answers", {"form": opened["form"], "mine": True})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def letter(self, subject: str, number: int = 1) -> Letter:
        """The newest of so many letters with this subject."""
        await until(lambda: len(self.letters(subject)) >= number)
        return self.letters(subject)[0]

    async def temporary(self, number: int = 1) -> str:
        """The temporary password of the newest of so many letters."""
        found = re.search(r"TR\d{12}", (await self.letter("Password reset", number)).text)
        assert found
        return found.group()

    async def comes_with(self, password: str) -> httpx2.Response:
        """Types a temporary password."""
        return await self.posts("/passwords/temporary", {"email": self.email, "password": password})

    async def chooses(self, form: str, password: str, **more: str) -> httpx2.Response:
        """His own password in its place."""
        return await self.posts(
            "/passwords/own", {"form": form, "password": password, "password_again": password, **more}
        )
