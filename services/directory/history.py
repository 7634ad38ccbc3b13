"""The lines of roles, proposals and standings: who did what, when and why; and the answer each key was given."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from services.directory.models import LineRow
from shared.contracts.directory import Note, Standing
from shared.rules.actor import Actor
from shared.rules.refusals import Refused

_STANDING = TypeAdapter(Standing)
LONGEST = 2000


def digest(*told: Any) -> str:
    """A digest of what somebody said, to notice the same key with something else."""
    return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def digest_of(note: Note) -> str:
    """What an instruction says, and who says it."""
    order = note.instruction
    return digest(note.id, order.action, order.actor.person_id, order.actor.organisation_id, order.revision, order.form)


async def answered(session: AsyncSession, note: Note) -> Standing | None:
    """The answer this key was given before; refused ``key_reused`` when it came with another instruction."""
    line = (await session.exec(select(LineRow).where(LineRow.key == note.key))).one_or_none()
    if line is None:
        return None
    if line.digest != digest_of(note):
        raise Refused("key_reused")
    return _STANDING.validate_python(line.answer)


async def answers(session: AsyncSession, notes: Iterable[Note]) -> dict[str, Standing]:
    """The answers some of these instructions were given before, by their keys."""
    asked = {note.key: digest_of(note) for note in notes}
    lines = await session.exec(select(LineRow).where(col(LineRow.key).in_(asked)))
    told = {line.key: line for line in lines if line.key and line.digest == asked[line.key]}
    return {key: _STANDING.validate_python(line.answer) for key, line in told.items()}


async def write(
    session: AsyncSession,
    about: str,
    action: str,
    status: str,
    now: datetime,
    *,
    actor: Actor | None = None,
    said: str = "",
    note: Note | None = None,
    answer: Standing | None = None,
    key: str | None = None,
    born: str = "",
) -> None:
    """One more line; with a note, also the answer its key is given from now on; with a key, what came with it."""
    session.add(
        LineRow(
            about=about,
            at=now,
            action=action,
            person_id=actor.person_id if actor else None,
            person=actor.name if actor else "",
            acting_for=(actor.organisation_id or None) if actor else None,
            said=said,
            status=status,
            key=note.key if note else key,
            digest=digest_of(note) if note else born,
            answer=_STANDING.dump_python(answer, mode="json") if answer else None,
        )
    )
    await session.flush()


async def told_before(session: AsyncSession, key: str, born: str) -> bool:
    """Whether this very wish came with this key before; refused ``key_reused`` when it was another one."""
    before = (await session.exec(select(LineRow.digest).where(LineRow.key == key))).one_or_none()
    if before not in (None, born):
        raise Refused("key_reused")
    return before is not None


async def lines(session: AsyncSession, about: str) -> Sequence[LineRow]:
    """Everything that was done, oldest first."""
    return (await session.exec(select(LineRow).where(LineRow.about == about).order_by(col(LineRow.id)))).all()


def as_json(standing: Standing) -> dict[str, Any]:
    """A memory as a wake line carries it."""
    return _STANDING.dump_python(standing, mode="json")  # type: ignore[no-any-return]


def reason(form: Mapping[str, Any], needed: bool) -> str:
    """Why, in the words of whoever did it; refused when it is missing where the law wants it, or too long."""
    said = str(form.get("reason") or "").replace("\0", "").strip()
    if (needed and not said) or len(said) > LONGEST:
        raise Refused("invalid", field="reason")
    return said
