"""What a row says: who is bound to a certificate, what its process remembers, what a signature covers.

Everything here is computed from a row and the facts beside it; nothing is read from the database.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter

from services.certificates import finding
from services.certificates.models import CertificateRow, ExtractRow, IrregularityRow, JournalRow, PartyRow
from services.certificates.rules import Awaits, awaited
from services.certificates.seal import fingerprint
from shared.contracts.certificates import Awaited, Due, Life, Order
from shared.events.directory import Organisation
from shared.kit.calendar import is_working_day
from shared.rules import content as contents
from shared.rules import deadlines
from shared.rules import problems as judged
from shared.rules.actor import Actor
from shared.rules.boxes import Kind, Model
from shared.rules.documents import still_to_enclose
from shared.rules.parties import Activity, Facts, Party, Recognition
from shared.rules.permissions import May, Tie
from shared.rules.problems import LOCKED
from shared.rules.refusals import Refused
from shared.rules.shape import PATTERNS
from shared.rules.status import Action, Status, is_over

LIFE_JSON = TypeAdapter(Life)


def party(row: PartyRow) -> Party:
    """An organisation as the law sees it; read once per event that told of it."""
    known = _READ.get(row.id)
    if known is None or known[0] != row.event_id:
        if len(_READ) > 20_000:
            _READ.clear()
        known = _READ[row.id] = (row.event_id, _party(row))
    return known[1]


_READ: dict[str, tuple[str, Party]] = {}


def _party(row: PartyRow) -> Party:
    record = Organisation.model_validate(row.record)
    return Party(
        id=row.id,
        kind=record.kind,
        name=record.name,
        country=record.country,
        status=record.status,
        code=record.code,
        eori=record.identifiers.get("EORI"),
        activities=tuple(
            Activity(each.kind, each.status, each.valid_from, each.valid_to, each.control_body)
            for each in record.activities
        ),
        superior=record.superior,
        authority_role=record.authority_role,
        competences=tuple(record.competences),
        calendar=record.calendar,
        recognitions=tuple(
            Recognition(each.country, tuple(each.categories), each.legal_basis, each.valid_from, each.valid_to)
            for each in record.recognitions
        ),
    )


def document(row: CertificateRow, sources: Mapping[str, PartyRow]) -> dict[str, Any]:
    """One revision as it is shown before a signature and sealed by it: boxes, and the organisations they name."""
    named = sorted(contents.organisations_in(row.content))
    shown = ("name", "country", "address", "postal_code", "city", "code", "identifiers")
    documents = {"documents": row.documents} if row.documents else {}
    return documents | {
        "certificate": row.id,
        "number": row.number,
        "form_model": row.form_model,
        "revision": row.revision,
        "content": row.content,
        "organisations": {
            each: {field: sources[each].record.get(field) for field in shown} for each in named if each in sources
        },
    }


def ties(row: CertificateRow, known: Facts, actor: Actor) -> frozenset[Tie]:
    """How the asker's organisation is bound to this certificate, as of now."""
    return bound(row, known).get(actor.organisation_id, frozenset())


def label(party: Party) -> str:
    """An organisation as a person reads it in few words."""
    return f"{party.name} {party.code}" if party.code else party.name


def bound(row: CertificateRow, known: Facts) -> dict[str, frozenset[Tie]]:
    """Organisation -> the ties by which this certificate binds it."""

    def superior(authority: str) -> str | None:
        above = known.party(authority)
        return above.superior if above else None

    bound: dict[str, set[Tie]] = {}
    for tie, organisations in contents.named(row.content, row.creator, superior).items():
        for organisation in organisations:
            bound.setdefault(organisation, set()).add(tie)
    return {organisation: frozenset(mine) for organisation, mine in bound.items()}


def model_of(row: CertificateRow) -> Model:
    """The printed form a certificate follows."""
    return Model(row.form_model)


def awaits(row: CertificateRow) -> tuple[Awaits, ...]:
    """All that the certificate waits for now."""
    return awaited(Status(row.status), model_of(row), row.content)


def awaits_of(row: CertificateRow, mine: Collection[Tie]) -> Awaits | None:
    """What it waits for, as one of these ties reads it: his own turn, where it is his, else what brings it on."""
    rows = awaits(row)
    return next((each for each in rows if set(mine) & set(each.turn)), rows[0] if rows else None)


def turn_of(rows: Iterable[Awaits], tied: Mapping[str, Collection[Tie]]) -> list[str]:
    """Whose turn it is by these rows."""
    turn = {tie for each in rows for tie in each.turn}
    return sorted(each for each, mine in tied.items() if turn & set(mine))


def life(row: CertificateRow, known: Facts) -> Life:
    """The row as its process remembers it."""
    status = Status(row.status)
    tied = bound(row, known)
    due = Due(row.due_name, row.due_at) if row.due_name and row.due_at else None
    rows = awaits(row)
    waits = None
    if rows:
        turn = turn_of(rows, tied)
        waits = Awaited(
            what=" ".join(each.what for each in rows),
            organisations=tuple(turn),
            since=row.entered_at,
            until=row.due_at,
            then=deadlines.then(row.due_name) if row.due_name else "nothing by itself",
            names=tuple(label(known.parties[each]) for each in turn if each in known.parties),
        )
    return Life(
        certificate_id=row.id,
        status=status,
        revision=row.revision,
        over=is_over(status) and due is None,
        submitted=row.submitted,
        number=row.number,
        due=due,
        awaited=waits,
        bound={each: tuple(sorted(mine)) for each, mine in sorted(tied.items())},
    )


def unread(row: CertificateRow) -> Life:
    """What a process starts from: it knows of its row and nothing else, so it lets every order go on to the paper.

    No row has revision 0; the first record or look replaces all of it.
    """
    return Life(row.id, Status(row.status), revision=0, over=False, submitted=row.submitted)


def since(row: CertificateRow) -> dict[deadlines.Start, datetime]:
    """When the rarer things began that clocks count from."""
    waits = row.replacement_at if row.succeeded_at is None else None
    begun = {
        deadlines.Start.SAMPLED: row.sampled_at,
        deadlines.Start.PROCEDURE: row.procedure_at,
        deadlines.Start.REPLACEMENT: waits,
        deadlines.Start.SUCCEEDED: row.succeeded_at,
    }
    return {start: at for start, at in begun.items() if at is not None}


def to_enclose(row: CertificateRow) -> tuple[str, ...]:
    """The documents that have still to be added before the endorsement."""
    return still_to_enclose(model_of(row), (each["type"] for each in row.documents or ()))


def is_locked(row: CertificateRow) -> bool:
    """Whether a certificate that shall replace this one is being written."""
    return row.status == Status.ISSUED and row.replaced_by is not None


def may_now(row: CertificateRow, may: May) -> May:
    """Of what the law offers, what its form has and what makes sense beside the status: replacements, answers."""
    senseless = {Action.REPLY_IRREGULARITY} if row.replied_at else set()
    if is_locked(row):
        senseless |= LOCKED
    if not is_locked(row) or row.accepted_at or model_of(row) is not Model.COI_2022:
        senseless.add(Action.ACCEPT_REPLACEMENT)
    fields = contents.fillable(may.edit, row.content, model_of(row))
    return May(frozenset() if is_locked(row) else fields, may.do - senseless)


def flags(row: CertificateRow) -> list[str]:
    """What is true of a certificate beside its status."""
    raised = []
    if row.status == Status.ISSUED:
        true = {
            "prior_notified": row.content.get("arrival_at"),
            "customs_procedure_open": row.procedure_at,
            "replacement_pending": is_locked(row),
            "checks_in_progress": row.content.get("entry_checks"),
            "lab_pending": row.sampled_at,
        }
        raised = [flag for flag, is_true in true.items() if is_true]
    if row.amended_at:
        raised.append("amended_after_issue")
    if "completion_overdue" in row.rung:
        raised.append("completion_overdue")
    return raised


def settle(row: CertificateRow, known: Facts, now: datetime, find: bool = True) -> None:
    """Make the columns beside the content agree with it: next clock, who sees it, whose turn it is, what lists find."""
    status = Status(row.status)
    tied = bound(row, known)
    due = deadlines.next_due(
        deadlines.Standing(
            status=status,
            entered_at=row.entered_at,
            edited_at=row.updated_at,
            content=row.content,
            complete=judged.is_complete(row.content, model_of(row), to_enclose(row)),
            rung=frozenset(row.rung),
            since=since(row),
            answered=row.replied_at is not None,
        ),
        country=country_of_authority(row, known),
        is_working_day=is_working_day,
    )
    row.due_name, row.due_at = (due.name, due.at.astimezone(UTC)) if due else (None, None)
    if not find:
        return
    row.awaited_by = turn_of(awaits(row), tied)
    row.visible_to = sorted(contents.sees(row.content, row.creator, status, row.submitted, known.parties))
    content = row.content
    row.clearance_country = content.get("clearance_country")
    row.exporter, row.importer = content.get("exporter"), content.get("importer")
    row.issuing_body, row.first_consignee = content.get("issuing_body"), content.get("first_consignee")
    row.entry_authority, row.country_of_export = content.get("entry_authority"), content.get("country_of_export")
    arrival = content.get("arrival_at")
    row.arrival_at = datetime.fromisoformat(arrival).astimezone(UTC) if arrival else None
    lines = content.get("product_lines") or []
    row.goods = ", ".join(dict.fromkeys(line["trade_name"] for line in lines if line.get("trade_name")))[:400]
    finding.settle(row, known, flags(row))


def country_of_authority(row: CertificateRow, known: Facts) -> str:
    authority = known.party(row.content.get("entry_authority"))
    return authority.holidays if authority else str(row.content.get("clearance_country") or "FR")


def concerned(row: CertificateRow, known: Facts) -> dict[Tie, list[str]]:
    concerned: dict[Tie, list[str]] = {}
    for organisation, mine in sorted(bound(row, known).items()):
        for tie in sorted(mine):
            concerned.setdefault(tie, []).append(organisation)
    return concerned


def line_of(
    row: CertificateRow, actor: Actor, known: Facts, now: datetime, action: str, changes: Mapping[str, Any]
) -> JournalRow:
    """The next line of a certificate's journal about something that leaves its status: its revision goes on."""
    row.revision += 1
    return line(row, actor, known, now, action, row.status, changes=changes)


def line(
    row: CertificateRow | ExtractRow,
    actor: Actor,
    known: Facts,
    now: datetime,
    action: str,
    source: str | None,
    *,
    changes: Mapping[str, Any] | None = None,
    form: Mapping[str, Any] | None = None,
    seal: dict[str, Any] | None = None,
    relies_on: Mapping[str, str] | None = None,
) -> JournalRow:
    """The next line of the row's journal, chained to the one before; the row remembers the new head."""
    organisation = known.parties.get(actor.organisation_id)
    line = JournalRow(
        certificate_id=row.id,
        seq=row.journal_length + 1,
        at=now,
        person_id=actor.person_id,
        person=actor.name,
        organisation_id=actor.organisation_id,
        organisation=organisation.name if organisation else actor.name,
        action=action,
        source=source,
        target=row.status,
        revision=row.revision,
        reason=reason(form or {}),
        changes=dict(changes or {}),
        form=dict(form or {}),
        seal=seal,
        relies_on=dict(relies_on or {}),
        previous=row.journal_head,
        hash="",
    )
    line.hash = fingerprint(covered(line))
    row.journal_length, row.journal_head = line.seq, line.hash
    return line


COVERED = (
    "certificate_id", "seq", "at", "person_id", "person", "organisation_id", "organisation", "action", "source",
    "target", "revision", "reason", "changes", "form", "seal", "relies_on", "previous",
)  # fmt: skip


def covered(line: JournalRow) -> dict[str, Any]:
    """What a line's hash covers."""
    values = {field: getattr(line, field) for field in COVERED}
    return {**values, "at": line.at.isoformat()}


def reason(form: Mapping[str, Any]) -> str | None:
    reason = form.get("reason")
    return str(reason) if reason else None


def choice(order: Order) -> Status | None:
    decision = order.form.get("decision")
    return Status(decision) if isinstance(decision, str) and decision in Status.__members__ else None


def told(order: Order) -> dict[str, Any]:
    return {"action": order.action, "revision": order.revision, "form": order.form, "fingerprint": order.fingerprint}


def organisations_said(form: Mapping[str, Any]) -> list[str]:
    """The organisations an order's form names: the operator of a customs procedure."""
    said = form.get("operator")
    return [said] if isinstance(said, str) and is_id(said) else []


def is_id(text: str) -> bool:
    """Whether this is the id of something."""
    return bool(PATTERNS[Kind.ORGANISATION].fullmatch(text))


def irregularity(
    row: CertificateRow, order: Order, source: Status, mine: frozenset[Tie], now: datetime
) -> IrregularityRow:
    """The notice an order signals, with who is notified: the country of export and the body of box 1."""
    reporter = Tie.ENTRY_AUTHORITY if Tie.ENTRY_AUTHORITY in mine else Tie.IMPORTER
    return IrregularityRow(
        id=str(uuid4()),
        certificate_id=row.id,
        found_at=source,
        signalled_at=now,
        signalled_by=order.actor.organisation_id,
        reporter=reporter,
        notified_country=row.content.get("country_of_export"),
        notified_body=row.content.get("issuing_body"),
        notice=dict(order.form),
    )


def as_json(life: Life) -> dict[str, Any]:
    return LIFE_JSON.dump_python(life, mode="json")  # type: ignore[no-any-return]


def remembered(line: JournalRow) -> Life:
    return LIFE_JSON.validate_python(line.answer)


def model_named(name: str) -> Model:
    try:
        return Model(name)
    except ValueError:
        raise Refused("invalid", field="form_model") from None
