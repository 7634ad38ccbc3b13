"""Draws the pages of docs/ that say what the tables of the law say: `make docs` writes them, a test compares them.

One thing to remember: nothing is decided here. A sentence about a status is the docstring of its row in the code; what
a page needs and no table says is written by hand on another page.
"""

import ast
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from shared.rules import requests
from shared.rules.boxes import BESIDE, BOXES, PRINTED, Box, Filled, Model
from shared.rules.deadlines import CLOCKS, PROOF_LIFETIME, Clock, Length, Only, Start
from shared.rules.deadlines import Unit as LengthUnit
from shared.rules.forms import box_signed_by, form_of
from shared.rules.permissions import ALL, EVERYWHERE, MATRIX, Cell, May, Tie
from shared.rules.roles import VALIDATED_BY
from shared.rules.status import CONTENT, MOVES, Action, Move, Status
from shared.rules.terms import TERMS, Term
from shared.words import say

FOLDER: Final = Path(__file__).parent
DRAWN: Final = "<!-- Drawn by `make docs` from {source}. Change the table there, not this page. -->"

# fmt: off
COLUMNS: Final = (  # of the guide's matrix, in its order; before them the one that the guide has no column for
    (Tie.CREATOR,           "creator"),
    (Tie.IMPORTER,          "importer"),
    (Tie.EXPORTER,          "exporter"),
    (Tie.ISSUER,            "issuing body"),
    (Tie.CENTRAL_AUTHORITY, "validating authority in the Union"),
    (Tie.ENTRY_AUTHORITY,   "authority at the point of entry"),
    (Tie.RFL,               "responsible for the load"),
    (Tie.CONSIGNEE,         "first consignee"),
)
STARTS: Final = {
    Start.ENTERED:     "entering the status",
    Start.EDITED:      "the last change of a box",
    Start.DEPARTURE:   "the departure",
    Start.ARRIVAL:     "the arrival",
    Start.SAMPLED:     "the sample",
    Start.PROCEDURE:   "the start of the procedure",
    Start.REPLACEMENT: "the start of the replacement",
    Start.SUCCEEDED:   "the signature of its successor",
}
WHILE: Final = {
    Only.ALWAYS:     "",
    Only.INCOMPLETE: ", while something of boxes 13, 16 or 17, or a document on the form of 2022, is still missing",
    Only.UNANSWERED: ", while the notice is not answered",
}
# fmt: on
NAMES: Final = dict(COLUMNS)


# ---------------------------------------------------------------------------------------------------------- the pages


def status() -> str:
    """The statuses, and every move between them: as a picture and as a table."""
    return page(
        "The statuses of a certificate",
        "shared/rules/status.py",
        "A move that is not on this page does not exist. The first eleven statuses are those of guide 002 §3.2, "
        "with their French names.",
        mermaid(diagram()),
        "Moves marked ○ are law already, but have no form yet: who asks for one is told so (`not_offered_yet`). "
        "A clock leads to one status by itself: a draft that nobody touches is deleted.",
        "## The statuses",
        table(
            ("code", "in French", "what it means"),
            ((f"`{each}`", *meaning(each).split(". ", 1)) for each in Status),
        ),
        "## The moves",
        "*Who* names the tie by which the certificate binds an organisation; what each tie may do is on "
        "[permissions.md](permissions.md). *Signs* is the box of the 2017 form that the move fills in; "
        "what is asked with a question mark need not be answered.",
        table(
            ("no.", "action", "from", "to", "who", "signs", "asks"),
            (move_row(move) for move in MOVES if move.action is not Action.COPY),
        ),
        "T1 is not among them: it is the birth of a draft, and what is not yet there cannot move. T21, `copy`, is "
        "possible in every status and leaves it alone: a new draft is born from this certificate's parties and "
        f"products. {listed(sorted(f'`{each}`' for each in CONTENT))} change contents, not the status, and are plain "
        "transactions of the certificates service; all the others are made by the certificate's workflow.",
    )


def permissions() -> str:
    """The matrix of the guide with our additions, and who validates whom."""
    return page(
        "Who may do what",
        "shared/rules/permissions.py and shared/rules/roles.py",
        "Nobody has rights because of what he is, only because of how *this certificate* binds his organisation: the "
        "box that names it is its **tie**. Columns and rows are those of guide 002 §3.3, so the two can be compared "
        "with a finger. Boxes carry the numbers of the 2017 form.",
        "**Upright** is what the guide's table grants. *Slanted* is ours: what follows from the moves and boxes that "
        "the guide describes elsewhere, or a decision where it is silent.",
        table(
            ("", *(f"{name}" for _, name in COLUMNS)),
            (
                (f"**{french(at)}**<br>`{at}`", *(cell(MATRIX[at].get(tie)) for tie, _ in COLUMNS))
                for at in Status
                if MATRIX[at]
            ),
        ),
        f"In {listed(f'`{at}`' for at in Status if not MATRIX[at])} nobody may do anything but read. In every status "
        f"in which they see the certificate, {listed(NAMES[tie] for tie in EVERYWHERE)} may also *copy as new*.",
        f'"All boxes" is all that a person may fill: {listed(every_box())}. The others are derived by the system, or '
        f"belong to whoever signs them. In a draft, {listed(name for tie, name in COLUMNS if own(tie))} have the "
        "rights of their column only where they drew it up themselves.",
        "## Who may see it",
        "A draft is seen by its creator's organisation and nobody else. From submission on it is seen by every "
        "organisation that a box names, by the superior of the authority in box 9, and, to read only, by the control "
        "body of the importer, the producers (each its own lines of box 13) and their control bodies, and the customs "
        "offices of the country of clearance. Whoever may not see it hears the same answer as if it were not there.",
        "## Who validates whom",
        "A person acts through a role in an organisation, and somebody else has validated that role. Any one of those "
        "named may; the first is asked first. The people who run the platform never validate.",
        table(
            ("what is asked for", "where", "validated by"),
            ((code(row.request), code(row.territory), ", then ".join(map(code, row.by))) for row in VALIDATED_BY),
        ),
    )


def boxes() -> str:
    """Both printed forms, box by box, and every field in each box."""
    return page(
        "The boxes of both forms",
        "shared/rules/boxes.py",
        "A certificate keeps *fields*, never box numbers. Which of the two forms it is printed on is fixed when it is "
        "born; the fields are the same, the numbers and titles are the form's.",
        "*Needed to* names the first action that refuses while the field is empty. *Filled* says how content "
        "gets there:",
        table(("filled", "that is"), ((word(each), told) for each, told in fillings())),
        *(part for model in Model for part in form(model)),
        "Titles marked † still have to be compared with the regulation's annex; the portal marks them as well.",
    )


def clocks() -> str:
    """Every clock of a certificate, and what else has a length."""
    return page(
        "The clocks",
        "shared/rules/deadlines.py, shared/rules/requests.py and shared/rules/terms.py",
        "A clock rings while the certificate is at its status, so long after its start, for those it tells. Silence "
        "never decides: one clock alone changes a status. Working days are those of the country of the authority in "
        "box 9; periods in days are calendar days. A clock whose time is over before it begins to matter rings at "
        "once.",
        table(
            ("no.", "clock", "while at", "rings", "tells", "what happens"),
            (clock_row(clock) for clock in CLOCKS),
        ),
        "A clock that counts from a date rings anew when that date is changed; one that counts from entering a status "
        "rings once for each stay there. What concerns accounts and roles follows:",
        "## Requests that await a decision",
        "While a question to the applicant is open, only the clock of the question runs. Silence never grants.",
        table(("clock", "rings", "what happens"), (request_row(clock) for clock in requests.CLOCKS)),
        "## Links, passwords, accounts, records",
        table(("no.", "name", "how long, or how often", "what for"), (term_row(term) for term in TERMS)),
        f"A signature asks that the person has proved to be himself in the last "
        f"{PROOF_LIFETIME // timedelta(minutes=1)} minutes; that is not a setting.",
    )


PAGES: Final[dict[str, Callable[[], str]]] = {
    "status.md": status,
    "permissions.md": permissions,
    "boxes.md": boxes,
    "clocks.md": clocks,
}
"""File -> what it says."""


# ----------------------------------------------------------------------------------------------------------- of moves


def diagram() -> Iterator[str]:
    """The state diagram, one arrow for each way; edits and copies lead nowhere and are left out."""
    ways: dict[tuple[Status, Status], list[str]] = {}
    for move in MOVES:
        if move.target is None:
            for back in [each.source for each in MOVES if each.action is Action.SIGNAL_IRREGULARITY]:
                ways.setdefault((move.source, back), []).append(f"back ({move.number}){waits(move)}")
        elif move.source is not move.target or move.action not in CONTENT:
            label = f"{words(move.action)} ({move.number}){waits(move)}"
            ways.setdefault((move.source, move.target), []).append(label)
    for clock in CLOCKS:
        if clock.effect:
            ways.setdefault((clock.while_at, clock.effect), []).append(waited(clock))
    yield "stateDiagram-v2"
    yield "    direction TB"
    yield f"    [*] --> {Status.DRAFT}: create (T1)"
    for (source, target), labels in ways.items():
        yield f"    {source} --> {target}: {', '.join(labels)}"


def waited(clock: Clock) -> str:
    """What has to pass before a clock moves a certificate: so long untouched, or the thing it counts from."""
    idle = f"{length(clock.after)} idle" if clock.start is Start.EDITED else f"at {STARTS[clock.start]}"
    return f"{idle} ({clock.number})"


def waits(move: Move) -> str:
    return "" if move.offered else " ○"


def move_row(move: Move) -> tuple[str, ...]:
    asks = form_of(move.action, move.source)
    questions = [
        each.label + (f" ({each.only[-4:]})" if each.only else "") + ("" if each.needed else "?")
        for each in (asks.questions if asks else ())
    ]
    box = box_signed_by(move.action)
    number = next((each.number_2017 for each in BOXES if each.field == box), None)
    return (
        f"{move.number}{waits(move)}",
        f"`{move.action}`",
        f"`{move.source}`",
        f"`{move.target}`" if move.target else "back to where it was",
        listed(who(move)),
        str(number or ""),
        ", ".join(questions),
    )


def who(move: Move) -> list[str]:
    """The ties that may make this move."""
    cells = MATRIX[move.source]
    if move.action is Action.AMEND:
        return [NAMES[tie] for tie, each in cells.items() if each.edit]
    return [NAMES[tie] for tie, each in cells.items() if move.action in each.do]


# ----------------------------------------------------------------------------------------------------- of permissions


def cell(granted: Cell | None) -> str:
    """One cell: upright what the guide says, slanted what we add."""
    if granted is None:
        return "–"
    ours = May(granted.edit - granted.guide.edit, granted.do - granted.guide.do)
    parts = [*said(granted.guide), *(f"*{each}*" for each in said(ours))]
    return "<br>".join([*parts, *(["(its own draft)"] if granted.own else [])]) or "–"


def said(may: May) -> Iterator[str]:
    """What may be edited and done, in a few words."""
    if may.edit:
        yield "edits " + (", ".join(numbers(may.edit)) if may.edit != ALL else "all boxes")
    for action in Action:
        if action in may.do:
            yield words(action)


def numbers(fields: frozenset[str]) -> list[str]:
    """The boxes these fields are in; with their names where they are only a part of the box."""
    found: dict[str, list[str]] = {}
    for box in BOXES:
        if box.field in fields:
            found.setdefault(place(box), []).append(box.label(Model.COI_2017))
    whole = {
        where for where in found if {box.field for box in BOXES if place(box) == where and editable(box)} <= fields
    }
    rest = ["may add one responsible for the load"] if "responsible_for_load.add" in fields else []
    named = [where if where in whole else f"{where} ({listed(labels).lower()})" for where, labels in found.items()]
    return [*named, *rest]


def place(box: Box) -> str:
    """Where a field stands on the 2017 form, in words."""
    number = box.number(Model.COI_2017)
    if number is None:
        beside = box.number_2017 == BESIDE
        return box.label(Model.COI_2017).lower() + ("" if beside else f" (2022: {box.number_2022})")
    return str(number)


def editable(box: Box) -> bool:
    """Whether the field is one that permissions speak of: filled by a person, and not a part of another."""
    return box.filled in (Filled.BY_HAND, Filled.FILLED_IN, Filled.SIGNED) and "." not in box.field


def every_box() -> list[str]:
    return numbers(ALL)


def own(tie: Tie) -> bool:
    return any(each.own for cells in MATRIX.values() for at, each in cells.items() if at is tie)


# ----------------------------------------------------------------------------------------------------------- of boxes


def form(model: Model) -> Iterator[str]:
    """One printed form."""
    printed = [row for row in PRINTED if row.model is model]
    yield f"## The form of {model.removeprefix('COI_')} (`{model}`)"
    yield table(
        ("box", "title", "field", "holds", "needed to", "filled", "binds as"),
        (row for each in printed for row in box_rows(model, str(each.number), each.title, each.provisional)),
    )
    beside = [box for box in BOXES if box.is_on(model) and box.number(model) is None]
    if beside:
        yield "Beside the numbered boxes:"
        yield table(
            ("field", "called", "holds", "needed to", "filled", "binds as"),
            ((f"`{box.field}`", label(box.label(model)), *about(box, model)) for box in beside),
        )


def box_rows(model: Model, number: str, title: str, provisional: bool) -> Iterator[tuple[str, ...]]:
    fields = [box for box in BOXES if str(box.number(model)) == number]
    heading = (f"**{number}**", label(title) + (" †" if provisional else ""))
    if not fields:
        yield (*heading, "no field yet", "", "", "", "")
    for row, box in enumerate(fields):
        yield (*(heading if row == 0 else ("", "")), f"`{box.field}`", *about(box, model))


def about(box: Box, model: Model) -> tuple[str, ...]:
    needed = box.needed(model)
    return (
        word(box.kind),
        f"`{needed}`" if needed else "",
        word(box.filled),
        NAMES[box.names] if box.names else "",
    )


def label(title: str) -> str:
    """A title in both languages."""
    return f"{title}<br>*{say(title, 'fr')}*"


def fillings() -> Iterator[tuple[Filled, str]]:
    told = docstrings(Filled)
    yield from ((each, told.get(each.name, "By a person.")) for each in Filled)


# ---------------------------------------------------------------------------------------------------------- of clocks


def clock_row(clock: Clock) -> tuple[str, ...]:
    again = f", and every {length(clock.after)} again" if clock.every else ""
    only = WHILE[clock.only]
    return (
        clock.number,
        f"`{clock.name}`",
        f"`{clock.while_at}`",
        rings(clock) + again + only,
        listed(NAMES[tie] for tie in clock.tells),
        clock.then,
    )


def request_row(clock: requests.Clock) -> tuple[str, ...]:
    start = "the question to the applicant" if clock.asked else "the request"
    return f"`{clock.name}`", f"{length(clock.after)} after {start}", clock.then


def rings(clock: Clock) -> str:
    if clock.after.amount == 0:
        return f"at {STARTS[clock.start]}"
    when = "before" if clock.after.amount < 0 else "after"
    return f"{length(clock.after)} {when} {STARTS[clock.start]}"


def length(some: Length) -> str:
    amount, unit = abs(some.amount), {LengthUnit.WORKING_DAYS: "working day"}.get(some.unit, some.unit.rstrip("s"))
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


def term_row(term: Term) -> tuple[str, ...]:
    before = " before" if term.after.amount < 0 else ""
    return term.number, f"`{term.name}`", length(term.after) + before, term.what


# ------------------------------------------------------------------------------------------------------------- layout


def page(title: str, source: str, *parts: str) -> str:
    """A page: its title, where it comes from, and its parts."""
    return "\n\n".join((f"# {title}", DRAWN.format(source=source), *parts)) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def mermaid(lines: Iterable[str]) -> str:
    """A picture that the reader's page draws itself."""
    return "\n".join(("```mermaid", *lines, "```"))


def listed(items: Iterable[str]) -> str:
    """Several words in one sentence: a, b and c."""
    *most, last = [*items] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def words(action: Action) -> str:
    return action.replace("_", " ")


def word(code: StrEnum) -> str:
    return code.value.replace("_", " ")


def code(value: StrEnum) -> str:
    return value.value.replace("_", " ").lower().replace("eu ", "Union, ")


def french(at: Status) -> str:
    return meaning(at).split(". ", 1)[0]


def meaning(at: Status) -> str:
    return docstrings(Status)[at.name]


@cache
def docstrings(of: object) -> dict[str, str]:
    """Name -> the sentence written beneath it in the source, for the members of a class or a module."""
    tree = ast.parse(inspect.getsource(of))  # type: ignore[arg-type]
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else tree.body
    found = {}
    for row, told in pairwise(body):
        if isinstance(told, ast.Expr) and isinstance(told.value, ast.Constant) and isinstance(told.value.value, str):
            for target in row.targets if isinstance(row, ast.Assign) else [getattr(row, "target", None)]:
                if isinstance(target, ast.Name):
                    found[target.id] = " ".join(told.value.value.split())
    return found


def main() -> None:
    """Write every page that is not what the tables say."""
    for name, drawn in PAGES.items():
        file, text = FOLDER / name, drawn()
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
