"""An extract's row as paper: whom it binds, who sees it, whose turn it is, what its process remembers, what is signed.

One thing to remember: nothing here asks the database or changes a status; every function takes the rows it needs.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.certificates import paper
from services.certificates.models import CertificateRow, ExtractRow, PartyRow
from services.certificates.rules import EXTRACT_AWAITED
from shared.contracts.certificates import Awaited, Batch, Due
from shared.kit.calendar import is_working_day
from shared.rules import content as contents
from shared.rules import extracts as law
from shared.rules.extracts import ExtractStatus
from shared.rules.parties import Facts
from shared.rules.permissions import Tie
from shared.rules.status import Status

NAMED: Final = ("operator", "entry_authority", "consignee", "control_body")
"""The boxes of an extract that name organisations."""


def bound(row: ExtractRow, parent: CertificateRow, known: Facts) -> dict[str, frozenset[Tie]]:
    """Organisation -> the ties by which this extract binds it; importer and RFL are the certificate's."""
    authority = known.party(row.content.get("entry_authority"))
    named: list[tuple[Tie, Any]] = [
        (Tie.CREATOR, row.creator),
        (Tie.IMPORTER, parent.content.get("importer")),
        *((Tie.RFL, each) for each in parent.content.get("responsible_for_load") or ()),
        (Tie.ENTRY_AUTHORITY, row.content.get("entry_authority")),
        (Tie.CENTRAL_AUTHORITY, authority.superior if authority else None),
        (Tie.CONSIGNEE, row.content.get("consignee")),
    ]
    ties: dict[str, set[Tie]] = {}
    for tie, organisation in named:
        if organisation:
            ties.setdefault(organisation, set()).add(tie)
    return {organisation: frozenset(mine) for organisation, mine in ties.items()}


def is_frozen(parent: CertificateRow) -> bool:
    """Whether the certificate keeps its extracts waiting: an irregularity, or its end."""
    return Status(parent.status) not in law.AWAKE


def batch(row: ExtractRow, parent: CertificateRow, known: Facts) -> Batch:
    """The row as its process remembers it."""
    status = ExtractStatus(row.status)
    due = Due(row.due_name, row.due_at) if row.due_name and row.due_at else None
    awaits = EXTRACT_AWAITED.get(status)
    awaited = None
    if awaits is not None:
        awaited = Awaited(
            what=awaits.what,
            organisations=tuple(row.awaited_by),
            since=row.entered_at,
            until=row.due_at,
            then=law.EXTRACT_CLOCK[row.due_name].then if row.due_name else "nothing by itself",
            names=tuple(paper.label(known.parties[each]) for each in row.awaited_by if each in known.parties),
        )
    return Batch(
        extract_id=row.id,
        status=status,
        revision=row.revision,
        over=law.is_extract_over(status) and due is None,
        number=row.number,
        due=due,
        awaited=awaited,
    )


def unread(row: ExtractRow) -> Batch:
    """What a process starts from: it knows of its row and nothing else."""
    return Batch(row.id, ExtractStatus(row.status), revision=0, over=False)


def settle(row: ExtractRow, parent: CertificateRow, known: Facts) -> None:
    """Make the columns beside the content agree with it: next clock, who sees it, whose turn it is."""
    status = ExtractStatus(row.status)
    authority = known.party(row.content.get("entry_authority"))
    country = authority.holidays if authority else str(row.content.get("clearance_country") or "FR")
    due = law.next_extract_due(status, row.entered_at, row.rung, country, is_working_day)
    row.due_name, row.due_at = (due.name, due.at) if due else (None, None)
    ties, whole = bound(row, parent, known), paper.bound(parent, known)
    row.visible_to = sorted(
        each
        for each in ties.keys() | whole.keys()
        if law.may_see_extract(status, ties.get(each, frozenset()), whole.get(each, frozenset()))
    )
    awaits = EXTRACT_AWAITED.get(status)
    row.awaited_by = sorted(each for each, mine in ties.items() if awaits and mine & set(awaits.turn))


def document(row: ExtractRow, parent: CertificateRow, sources: Mapping[str, PartyRow]) -> dict[str, Any]:
    """One revision of an extract as it is shown before a signature and sealed by it."""
    whole = {str(line["id"]): line for line in contents.lines(parent.content)}
    copied = {box.field: parent.content.get(box.field) for box in law.EXTRACT_BOXES if box.copied}
    shown = ("name", "country", "address", "postal_code", "city", "code", "identifiers")
    named = {*(str(row.content[name]) for name in NAMED if row.content.get(name))}
    named |= {str(copied[name]) for name in ("issuing_body", "importer") if copied.get(name)}
    return {
        "certificate": row.id,
        "number": row.number,
        "form_model": row.form_model,
        "revision": row.revision,
        "content": {**copied, "number": parent.number, **row.content},
        "certificate_lines": [
            whole[str(line["id"])] for line in contents.lines(row.content) if str(line.get("id")) in whole
        ],
        "organisations": {
            each: {field: sources[each].record.get(field) for field in shown}
            for each in sorted(named)
            if each in sources
        },
    }


def concerned(row: ExtractRow, parent: CertificateRow, known: Facts) -> dict[Tie, list[str]]:
    """Tie -> the organisations an event about this extract concerns; with the issuing body of the certificate."""
    told: dict[Tie, list[str]] = {}
    for organisation, mine in sorted(bound(row, parent, known).items()):
        for tie in sorted(mine):
            told.setdefault(tie, []).append(organisation)
    if body := parent.content.get("issuing_body"):
        told[Tie.ISSUER] = [body]
    return told


def with_sums(content: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The content with, beside each line of the batch, what the certificate says of it."""
    whole = {str(line["id"]): line for line in lines}
    told = (
        "cn_code",
        "category",
        "organic",
        "trade_name",
        "lot",
        "package_type",
        "unit",
        "producer",
        "producer_control_body",
    )
    shown = []
    for line in contents.lines(content):
        of_it = whole.get(str(line.get("id"))) or {}
        original = {"original_packages": of_it.get("packages"), "original_net_weight": of_it.get("net_weight")}
        shown.append({**line, **{name: of_it.get(name) for name in told}, **original})
    return {**content, "product_lines": shown}
