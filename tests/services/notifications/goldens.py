"""The letters as they were read and approved. ``python -m tests.services.notifications.goldens`` writes them anew."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from services.notifications import writing
from services.notifications.batches import ABOUT_BATCHES, BATCH_LETTERS
from services.notifications.letters import LETTERS, ORDERED
from services.notifications.paces import DIGEST
from services.notifications.questions import ABOUT_QUESTIONS
from services.notifications.roles import ABOUT_ROLES, WAITING
from services.notifications.writing import Reader
from shared.rules.deadlines import CLOCKS
from shared.rules.permissions import Tie
from tests.services.conftest import NOON
from tests.services.notifications.conftest import CERTIFICATE, NAMES, NUMBER, PARTIES

FOLDER = Path(__file__).parent / "golden"
NAMELESS = frozenset({"draft-deleted", "draft-stale", "draft-expired", "departure-draft"})
"""Letters about drafts, which have no number."""
TIMED = frozenset(
    {"submitted", "issued", "verified", "irregularity", "completion-due", "announce-arrival", "reception-due"}
    | {"irregularity-reply-due", "customs-procedure-open", "draft-stale"}
)
"""Letters after which a clock may run for the reader."""

ENCLOSED = {
    "minutes": 90, "hours": 24, "days": 7, "count": 2, "username": "claire@pyrenees.example",
    "password": "TR004711004711", "validator": "DDPP de la Haute-Garonne", "full_name": "Claire O'Brien-Delmas",
    "address": "claire.obrien@pyrenees.example",
    "requests": [
        {"name": "Ann <b>", "url": "https://bordereau.example/users/1"},
        {"name": "Παύλος", "url": "https://bordereau.example/users/2"},
    ],
}  # fmt: skip
"""What identity hands out while one of its letters is written."""


def readers_of(letter: str) -> list[Tie]:
    """The ties of those who may read a letter, each seen by itself."""
    told = {clock.name: clock.tells for clock in CLOCKS}
    rows = [(row.what, row.to) for row in LETTERS if row.letter == letter]
    rows += [
        (row.what, row.to or (Tie.CONSIGNEE, Tie.ENTRY_AUTHORITY)) for row in BATCH_LETTERS if row.letter == letter
    ]
    ties = [tie for what, to in rows for tie in told.get(what, to)]
    return list(dict.fromkeys(tie for tie in ties if isinstance(tie, Tie))) or [Tie.CREATOR]


def goldens() -> Iterator[tuple[str, str, str]]:
    """Letter, language and what it looks like: for each reader the text, and the page of the first."""
    for letter in sorted(
        {row.letter for row in LETTERS} | ORDERED | ABOUT_ROLES | ABOUT_BATCHES | ABOUT_QUESTIONS | {DIGEST}
    ):
        for language, zone in (("en", "Africa/Casablanca"), ("fr", "Europe/Paris")):
            yield letter, language, "\n".join(_pages(letter, language, zone))


def _pages(letter: str, language: str, zone: str) -> Iterator[str]:
    link = f"https://bordereau.example/certificates/{CERTIFICATE}"
    pages = []
    for tie in readers_of(letter):
        organisation = None if letter in ORDERED | ABOUT_ROLES | {DIGEST} else PARTIES.get(tie, ["pyrenees"])[0]
        facts: dict[str, object] = {
            "number": None if letter in NAMELESS else NUMBER,
            "by": "perpignan" if Tie.CONSIGNEE in readers_of(letter) and letter != "issued" else "ecocert",
            "parties": PARTIES,
            "ties": [tie],
            "status": "ISSUED",
            "reason": "Weights <do not> match & more" if letter == "deleted" else None,
            "until": (NOON + timedelta(days=3)).isoformat() if letter in TIMED else None,
            "arrival": (NOON + timedelta(days=9)).isoformat() if letter in ("issued", "prior-notification") else None,
            "boxes": ["arrival_at", "gross_weight", "transport"],
            "form_model": "COI_2022" if letter == "amended" else None,
        }
        if letter in ABOUT_QUESTIONS:
            facts |= {"field": "gross_weight", "form_model": "COI_2022", "said": "Is it <b>1 200</b> kg?"}
        if letter in ABOUT_ROLES:
            facts |= {"parties": {"ORGANISATION": ["pyrenees"]}, "days": 30, "count": 2, "reason": None}
            facts |= {"requests": ENCLOSED["requests"]} if letter == WAITING else {}
        if letter == DIGEST:
            facts |= {"count": 2, "requests": ENCLOSED["requests"]}
        if letter in ORDERED:
            facts |= ENCLOSED | {"reason": "No such establishment" if letter == "account-refused" else None}
        reader = Reader(language, zone, "Claire", organisation)
        written = writing.letter(letter, facts, NAMES, reader, link, "contact@bordereau.example")
        yield f"=== {tie} ===\n{written.subject}\n\n{written.text}"
        yield f"--- in-app ---\n{writing.gist(letter, facts, NAMES, reader)}\n"
        pages.append(written.html)
    yield f"=== HTML ===\n{pages[0]}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for letter, language, page in goldens():
        (FOLDER / f"{letter}.{language}.txt").write_text(page)
