"""Questions of a certificate: asked, answered and settled, each with its journal line and its news in one transaction.

One thing to remember: nothing here raises the certificate's revision, so no signature becomes stale by one.
Every function takes a session, none opens or commits one.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates import documents, paper, register, store
from services.certificates.models import CertificateRow, PartyRow
from services.certificates.models_making import MessageRow, QuestionRow, UploadRow
from shared.contracts.documents import FileView
from shared.contracts.questions import (
    AskableView,
    MessageView,
    NewMessage,
    NewQuestion,
    QuestionsView,
    QuestionView,
)
from shared.events.certificates import QuestionWritten
from shared.kit.outbox import announce
from shared.rules import questions as law
from shared.rules.actor import Actor
from shared.rules.boxes import Problem, problem
from shared.rules.documents import Media
from shared.rules.parties import Facts
from shared.rules.permissions import Tie
from shared.rules.questions import Ask
from shared.rules.refusals import Refused
from shared.rules.status import Status

SHORT = 300
"""Signs of a message that letters repeat."""


# ── Asking, answering, settling ───────────────────────────────────────────────────────────────────────────────


async def ask(
    session: AsyncSession, certificate_id: str, actor: Actor, new: NewQuestion, key: str, now: datetime
) -> CertificateRow:
    """A question is asked: row, first message, journal line, event. The same key asks it once."""
    row, mine, known, digest = await documents.opened(
        session, certificate_id, actor, key, ["question", new.model_dump()], now
    )
    if digest is None:
        return row
    theirs = paper.bound(row, known).get(new.asked_of, frozenset())
    if new.asked_of == actor.organisation_id or not law.may_ask(new.kind, Status(row.status), mine, theirs):
        raise Refused("not_permitted", field="asked_of")
    wrong = [] if new.text.strip() else [_needed("text", row)]
    if new.field not in (None, *law.boxes_to_ask_about(paper.model_of(row))):
        raise Refused("invalid", field="field")
    if new.kind is Ask.CORRECTION and new.field is None:
        wrong.append(_needed("field", row))
    if wrong:
        raise Refused("incomplete", problems=wrong)
    number = await _next(session, QuestionRow, QuestionRow.certificate_id == row.id)
    question = QuestionRow(
        id=str(uuid4()),
        certificate_id=row.id,
        number=number,
        kind=new.kind,
        field=new.field,
        asked_by=actor.organisation_id,
        asked_of=new.asked_of,
        at=now,
    )
    session.add(question)
    await _written(session, row, question, actor, known, now, "asked", 1, new, key, digest)
    return row


async def answer(
    session: AsyncSession,
    certificate_id: str,
    question_id: str,
    actor: Actor,
    new: NewMessage,
    key: str,
    now: datetime,
) -> CertificateRow:
    """One more message to a question, from either side."""
    told = ["answer", question_id, new.model_dump()]
    row, mine, known, digest = await documents.opened(session, certificate_id, actor, key, told, now)
    if digest is None:
        return row
    question = await _of(session, row, question_id)
    settled = question.settled_at is not None
    if not law.may_write(actor.organisation_id, question.asked_by, question.asked_of, mine, settled):
        raise Refused("not_permitted")
    if not new.text.strip():
        raise Refused("incomplete", problems=[_needed("text", row)])
    number = await _next(session, MessageRow, MessageRow.question_id == question.id)
    await _written(session, row, question, actor, known, now, "answered", number, new, key, digest)
    return row


async def _next(session: AsyncSession, kind: type[QuestionRow | MessageRow], which: Any) -> int:
    """The number of the next one; there is an end to them."""
    last = (await session.exec(select(func.max(kind.number)).where(which))).one() or 0
    if last >= law.MOST:
        raise Refused("not_permitted")
    return last + 1


async def settle(
    session: AsyncSession, certificate_id: str, question_id: str, actor: Actor, key: str, now: datetime
) -> CertificateRow:
    """Who asked says that it is settled: nothing more is written to it."""
    row, mine, known, digest = await documents.opened(
        session, certificate_id, actor, key, ["settled", question_id], now
    )
    if digest is None:
        return row
    question = await _of(session, row, question_id)
    if not law.may_settle(actor.organisation_id, question.asked_by, mine, question.settled_at is not None):
        raise Refused("not_permitted")
    question.settled_at = now
    await _journal(session, row, question, actor, known, now, "settled", {}, key, digest)
    return row


def _needed(part: str, row: CertificateRow) -> Problem:
    return problem(f"questions.{part}", "needed", paper.model_of(row), {"label": law.LABELS[part]})


async def _of(session: AsyncSession, row: CertificateRow, question_id: str) -> QuestionRow:
    found = await session.get(QuestionRow, question_id) if paper.is_id(question_id) else None
    if found is None or found.certificate_id != row.id:
        raise Refused("not_found")
    return found


async def _written(
    session: AsyncSession,
    row: CertificateRow,
    question: QuestionRow,
    actor: Actor,
    known: Facts,
    now: datetime,
    step: str,
    number: int,
    new: NewQuestion | NewMessage,
    key: str,
    digest: str,
) -> None:
    """A message, its journal line and its event, in one transaction."""
    file = await documents.used(session, new.upload, row, actor, now) if new.upload else None
    text = new.text.strip()
    session.add(
        MessageRow(
            question_id=question.id,
            number=number,
            at=now,
            person=actor.name,
            organisation_id=actor.organisation_id,
            text=text,
            upload_id=file.id if file else None,
        )
    )
    said: dict[str, Any] = {"text": text}
    if file:
        said |= {"file": file.name, "sha256": file.sha256}
    await _journal(session, row, question, actor, known, now, step, said, key, digest)


async def _journal(
    session: AsyncSession,
    row: CertificateRow,
    question: QuestionRow,
    actor: Actor,
    known: Facts,
    now: datetime,
    step: str,
    said: Mapping[str, Any],
    key: str,
    digest: str,
) -> None:
    form = {"question": question.number, "kind": question.kind, "asked_of": question.asked_of, **said}
    if question.field:
        form["field"] = question.field
    line = paper.line(row, actor, known, now, f"question_{step}", row.status, form=form)
    line.key, line.order_digest = key, digest
    await store.write(session, line)
    other = question.asked_of if actor.organisation_id == question.asked_by else question.asked_by
    await announce(
        session,
        QuestionWritten(
            at=now,
            certificate_id=row.id,
            number=row.number,
            form_model=row.form_model,
            question=question.number,
            kind=Ask(question.kind),
            field=question.field,
            step=step,
            by=actor.organisation_id,
            to=other,
            text=str(said.get("text", ""))[:SHORT] or None,
            parties=paper.concerned(row, known),
        ),
    )


# ── For readers ───────────────────────────────────────────────────────────────────────────────────────────────


async def open_ones(session: AsyncSession, row: CertificateRow) -> int:
    """How many questions of a certificate nobody has settled yet."""
    waiting = select(func.count()).where(QuestionRow.certificate_id == row.id, col(QuestionRow.settled_at).is_(None))
    return (await session.exec(waiting)).one()


async def shown(session: AsyncSession, row: CertificateRow, actor: Actor, now: datetime) -> QuestionsView:
    """The questions of a certificate, newest first, and what this party may ask of whom."""
    known, sources = await store.facts(session, row.content, now, also=[row.creator, actor.organisation_id])
    tied = paper.bound(row, known)
    mine = tied.get(actor.organisation_id, frozenset())
    if not mine:
        raise Refused("not_found")
    rows = (
        await session.exec(
            select(QuestionRow).where(QuestionRow.certificate_id == row.id).order_by(col(QuestionRow.number).desc())
        )
    ).all()
    messages = (
        await session.exec(
            select(MessageRow)
            .where(col(MessageRow.question_id).in_([each.id for each in rows]))
            .order_by(col(MessageRow.number))
        )
    ).all()
    files = await _files(session, messages)
    wrote = {each.organisation_id for each in messages} | {each.asked_of for each in rows}
    sources |= await register.parties(session, wrote | set(tied))
    return QuestionsView(
        items=[
            _viewed(each, [m for m in messages if m.question_id == each.id], files, sources, actor, mine)
            for each in rows
        ],
        may_ask=[
            AskableView(kind=kind, organisation_id=each, organisation=_name(sources, each))
            for kind in Ask
            for each in sorted(tied, key=lambda one: _name(sources, one).casefold())
            if each != actor.organisation_id and law.may_ask(kind, Status(row.status), mine, tied[each])
        ],
    )


async def _files(session: AsyncSession, messages: Iterable[MessageRow]) -> dict[str, UploadRow]:
    wanted = [each.upload_id for each in messages if each.upload_id]
    if not wanted:
        return {}
    return {each.id: each for each in await session.exec(select(UploadRow).where(col(UploadRow.id).in_(wanted)))}


def _viewed(
    question: QuestionRow,
    messages: list[MessageRow],
    files: Mapping[str, UploadRow],
    sources: Mapping[str, PartyRow],
    actor: Actor,
    mine: frozenset[Tie],
) -> QuestionView:
    settled = question.settled_at is not None
    sides = (question.asked_by, question.asked_of)
    last = messages[-1].organisation_id if messages else question.asked_by
    return QuestionView(
        id=question.id,
        number=question.number,
        kind=Ask(question.kind),
        field=question.field,
        asked_by=question.asked_by,
        asked_by_name=_name(sources, question.asked_by),
        asked_of=question.asked_of,
        asked_of_name=_name(sources, question.asked_of),
        at=question.at,
        settled_at=question.settled_at,
        waits_for=None if settled else sides[1] if last == sides[0] else sides[0],
        messages=[
            MessageView(
                number=each.number,
                at=each.at,
                person=each.person,
                organisation_id=each.organisation_id,
                organisation=_name(sources, each.organisation_id),
                text=each.text,
                file=_file(files.get(each.upload_id or "")),
            )
            for each in messages
        ],
        may_write=law.may_write(actor.organisation_id, *sides, mine, settled),
        may_settle=law.may_settle(actor.organisation_id, sides[0], mine, settled),
    )


def _file(row: UploadRow | None) -> FileView | None:
    if row is None:
        return None
    return FileView(id=row.id, name=row.name, media=Media(row.media), size=row.size, sha256=row.sha256)


def _name(sources: Mapping[str, PartyRow], organisation: str) -> str:
    row = sources.get(organisation)
    return str(row.record["name"]) if row else organisation
