"""How a certificate is found: the marks written beside its words, and the filters a list understands, as one table.

One thing to remember: marks live in the column ``search`` beside the words, so one index answers them together. A mark
begins with ``=``, which no word does: ``=importer/…``, ``=lot/l20261``.

Whoever types the beginning of a word means every word that begins so. An index is slow to go through thousands of them,
and quick with whole ones: so the words there are stand in a table of their own (``WordRow``), and are asked by name. Of
the numbers people write, that have no end, only the beginning stands there, as a stem: ``csqu#``.

A producer who is named in box 13 and nowhere else reads his own lines only; so he finds by them only. The marks and
words of such a reader's lines stand apart, under his id.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Text, and_, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from services.certificates.models import CertificateRow, Id, WordRow
from shared.rules import content as contents
from shared.rules.actor import Actor
from shared.rules.parties import Facts
from shared.rules.roles import RoleType
from shared.rules.status import Status

DAYS_IN: Final = ZoneInfo("Europe/Brussels")
"""Where a day begins that somebody filters by: the Union's border is asked, not the reader's clock."""
LONGEST: Final = 60
WHOLE_NUMBER: Final = re.compile(r"COI\.[A-Z]{2}\.\d{4}\.\d{7}", re.ASCII)
PARTY: Final = "party"
"""Stands for all of ROLES."""
WORD: Final = ""
"""The kind of a word that stands in no box of its own."""
SPELLED: Final = ("goods", "cn", "lot", "container", "document", "attached")
"""Marks that are looked for by their beginning."""
STEM: Final = re.compile(r"[^\d]+|\d{1,4}")
PLAIN: Final = 4
"""Signs of a number that is short enough to be a word of its own: a year, a weight."""
LONG: Final = 40
LAST: Final = chr(0x10FFFF)
NOBODY: Final = "="
"""A word that no certificate has."""
MANY: Final = 200
"""Words with one beginning that are asked by name; of more, the beginning is asked."""
OVERDUE: Final = frozenset({
    "completion_overdue", "arrival_not_verified", "customs_procedure_open", "reception_overdue", "reply_overdue",
})  # fmt: skip
"""Clocks that have run out without what they waited for."""
FLAGS: Final = (
    "overdue", "lab_pending", "customs_procedure_open", "prior_notified", "checks_in_progress", "replacement_pending",
    "amended_after_issue", "completion_overdue",
)  # fmt: skip
"""What is true of a certificate beside its status, and may be filtered by."""


class Reads(StrEnum):
    """How the value of a filter is read."""

    STATUS = "status"
    ORGANISATION = "organisation"
    COUNTRY = "country"
    CODE = "code"
    """Exactly this code of ours."""
    BEGINNING = "beginning"
    """Text by its beginning; case, accents and punctuation do not matter."""
    WORDS = "words"
    """Every word by its beginning; figures are the beginning of a commodity code."""
    FROM = "from"
    UNTIL = "until"
    """Days; both ends included."""
    TRUE = "true"


@dataclass(frozen=True)
class Filter:
    """One thing a list may be narrowed by."""

    name: str
    reads: Reads
    mark: str = ""
    """The mark it looks for."""
    column: Any = None
    """The column it compares, where it looks for no mark."""
    all: bool = False
    """Of several values all must be true; otherwise any."""
    of_lines: bool = False
    """It speaks of the lines of box 13, of which not every reader may read all."""
    of_parties: str = ""
    """A mark that only the parties of a certificate find it by: it speaks of documents, which others do not see."""


_R, _C = Reads, CertificateRow

# fmt: off
FILTERS: Final = (
    #      name                    read as           its mark             or its column
    Filter("status",               _R.STATUS,        column=col(_C.status)),
    Filter("party",                _R.ORGANISATION,  PARTY),
    Filter("exporter",             _R.ORGANISATION,  "exporter"),
    Filter("importer",             _R.ORGANISATION,  "importer"),
    Filter("issuing_body",         _R.ORGANISATION,  "issuing_body"),
    Filter("first_consignee",      _R.ORGANISATION,  "first_consignee"),
    Filter("entry_authority",      _R.ORGANISATION,  "entry_authority"),
    Filter("responsible_for_load", _R.ORGANISATION,  "responsible_for_load"),
    Filter("producer",             _R.ORGANISATION,  "producer",             of_lines=True),
    Filter("authority_country",    _R.COUNTRY,       "authority_country"),
    Filter("clearance_country",    _R.COUNTRY,       "clearance_country"),
    Filter("country_of_origin",    _R.COUNTRY,       "origin"),
    Filter("country_of_export",    _R.COUNTRY,       "export"),
    Filter("goods",                _R.WORDS,         "goods",                of_lines=True),
    Filter("cn_code",              _R.BEGINNING,     "cn",                   of_lines=True),
    Filter("lot",                  _R.BEGINNING,     "lot",                  of_lines=True),
    Filter("container",            _R.BEGINNING,     "container"),
    Filter("document",             _R.BEGINNING,     "document",             of_parties="attached"),
    Filter("form_model",           _R.CODE,          "model"),
    Filter("flag",                 _R.CODE,          "flag",                 all=True),
    Filter("awaits_me",            _R.TRUE,          column=col(_C.awaited_by)),
    Filter("ours",                 _R.TRUE,          "creator"),
    Filter("created_from",         _R.FROM,          column=col(_C.created_at)),
    Filter("created_until",        _R.UNTIL,         column=col(_C.created_at)),
    Filter("issued_from",          _R.FROM,          column=col(_C.issued_at)),
    Filter("issued_until",         _R.UNTIL,         column=col(_C.issued_at)),
    Filter("decided_from",         _R.FROM,          column=col(_C.decided_at)),
    Filter("decided_until",        _R.UNTIL,         column=col(_C.decided_at)),
    Filter("arrival_from",         _R.FROM,          column=col(_C.arrival_at)),
    Filter("arrival_until",        _R.UNTIL,         column=col(_C.arrival_at)),
)
# fmt: on
"""Every filter of a list but free text."""

ROLES: Final = ("exporter", "importer", "issuing_body", "first_consignee", "entry_authority", "responsible_for_load")
"""The boxes beside 13 that name organisations, as marks."""

DECIDED: Final = frozenset({
    Status.CONSIGNMENT_VERIFIED, Status.BASE_FOR_EXTRACT, Status.RELEASED_CONVENTIONAL, Status.NOT_RELEASED,
})  # fmt: skip
"""Where box 20 leads to."""


# ── what is written beside a certificate ──────────────────────────────────────────────────────────────────────────


def settle(row: CertificateRow, known: Facts, flags: Iterable[str]) -> None:
    """Make the search column and the dates beside it agree with the row."""
    if row.issued_at is None and row.status == Status.ISSUED:
        row.issued_at = row.entered_at
    if row.decided_at is None and row.status in DECIDED:
        row.decided_at = row.entered_at
    countries = {each: party.country for each, party in known.parties.items()}
    words = searchable(row, known)
    row.search = func.to_tsvector("simple", words).op("||")(func.array_to_tsvector(marks(row, countries, flags, words)))


def marks(row: CertificateRow, countries: Mapping[str, str], flags: Iterable[str], said: str) -> list[str]:
    """All marks of a certificate; ``countries`` are those of the organisations it names, ``said`` are its words."""
    content = row.content
    transport = content.get("transport") or {}
    found = [
        *(("seen", each) for each in row.visible_to),
        ("customs", content.get("clearance_country") if row.submitted else None),
        ("creator", row.creator),
        ("model", row.form_model),
        ("authority_country", countries.get(content.get("entry_authority") or "")),
        ("clearance_country", content.get("clearance_country")),
        ("export", content.get("country_of_export")),
        *((name, content.get(name)) for name in ROLES[:5]),
        *(("responsible_for_load", each) for each in content.get("responsible_for_load") or ()),
        *(("origin", each) for each in content.get("countries_of_origin") or ()),
        *(("container", squeezed(each)) for each in (content.get("containers") or ())),
        *(("container", squeezed(each)) for each in (content.get("seals") or ())),
        *(("document", squeezed(each)) for each in (transport.get("document"), content.get("national_reference"))),
        *(("attached", squeezed(each.get("number"))) for each in row.documents),
        *(("flag", each) for each in flags),
        *(_overdue(row)),
    ]
    lines = contents.lines(content)
    found += [mark for line in lines for mark in _of_line(line)]
    written = {f"={tag}/{value}" for tag, value in found if value}
    written |= {f"={tag}/{stem}" for tag, value in found if value and tag in SPELLED and (stem := stem_of(value, tag))}
    written |= {stem for word in normalised(said).split() if (stem := stem_of(word))}
    for reader in _partial(row):
        written.add(f"=part/{reader}")
        own = [line for line in lines if line.get("producer") == reader]
        words = normalised(" ".join([row.number or "", *(str(line.get("trade_name") or "") for line in own)]))
        apart = [mark for line in own for mark in _of_line(line)]
        apart += [("word", word[:LONGEST]) for word in words.split()]
        written |= {f"=part/{reader}/{tag}/{value}" for tag, value in apart if value}
    return sorted(written)


def _bound(row: CertificateRow) -> set[str]:
    return {each for some in contents.named(row.content, row.creator, lambda _: None).values() for each in some}


def _partial(row: CertificateRow) -> list[str]:
    """The organisations that see some lines of this certificate and not the others."""
    content = row.content
    if not content.get("producers"):
        return []
    whole = _bound(row) | set(content.get("producers_control_bodies") or ())
    return sorted(each for each in content.get("producers") or () if each not in whole)


def goods_for(row: CertificateRow, reader: str) -> str:
    """The goods as a list shows them to this organisation: all, or those of its own lines."""
    if reader not in (row.content.get("producers") or ()) or reader not in _partial(row):
        return row.goods
    own = [line for line in contents.lines(row.content) if line.get("producer") == reader]
    return ", ".join(dict.fromkeys(str(line["trade_name"]) for line in own if line.get("trade_name")))[:400]


def _overdue(row: CertificateRow) -> list[tuple[str, str]]:
    return [("flag", "overdue")] if OVERDUE & set(row.rung) else []


def _of_line(line: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    words = normalised(str(line.get("trade_name") or "")).split()
    return [
        ("producer", line.get("producer")),
        ("cn", line.get("cn_code")),
        ("lot", squeezed(line.get("lot"))),
        *(("goods", word[:LONGEST]) for word in words),
    ]


def squeezed(text: object) -> str:
    """A number somebody typed, as it is compared: letters and figures only."""
    return normalised(str(text or "")).replace(" ", "")[:LONGEST]


def searchable(row: CertificateRow, known: Facts) -> str:
    """The words of a certificate, as they are searched."""
    named = [known.parties[each] for each in contents.organisations_in(row.content) if each in known.parties]
    lines = row.content.get("product_lines") or []
    words = [
        row.number or "",
        row.goods,
        *(each.name for each in named),
        *(each.code or "" for each in named),
        *(str(line.get(field) or "") for line in lines for field in ("cn_code", "lot")),
        *(row.content.get("containers") or []),
        *(row.content.get("seals") or []),
        str(row.content.get("national_reference") or ""),
    ]
    return normalised(" ".join(words))


_PUNCTUATION: Final = {code: " " for code in range(128) if not chr(code).isalnum()}


def normalised(text: str) -> str:
    """Text as it is searched: case and accents do not matter, nor does punctuation."""
    folded = text.casefold()
    if folded.isascii():
        return folded.translate(_PUNCTUATION)
    bare = unicodedata.normalize("NFKD", folded)
    return "".join(each if each.isalnum() else " " for each in bare if not unicodedata.combining(each))


def stem_of(word: str, kind: str = WORD) -> str | None:
    """The beginning of a number or of a very long word, by which a beginning still shorter finds it; None of a word."""
    if kind == "cn" or (len(word) <= LONG and (len(word) <= PLAIN or word.isalpha())):
        return None
    found = STEM.match(word)
    return f"{found[0][:LONG]}#" if found else None


def _is_short(word: str) -> bool:
    """Whether what begins so are words or stems: a beginning that goes on after its stem is looked for as it is."""
    return len(word) < LONG and (word.isalpha() or (word.isdigit() and len(word) <= PLAIN))


def prefix_query(text: str) -> str | None:
    """What somebody typed, as a search for every word by its beginning; None when there is no word."""
    words = normalised(text).split()
    return " & ".join(f"{word}:*" for word in words[:8]) if words else None


Spelling = Mapping[tuple[str, str], list[str]]
"""For a kind and a beginning, the words and stems there are."""


async def spelled(session: AsyncSession, wish: Any) -> Spelling:
    """The words that begin as what somebody typed does; a beginning of very many words is not among them."""
    typed = {(WORD, word) for word in _typed(wish.text)}
    for each in FILTERS:
        if each.reads is Reads.WORDS:
            typed |= {_of_goods(each, word) for word in normalised(getattr(wish, each.name)).split()[:8]}
        elif each.reads is Reads.BEGINNING and (value := squeezed(getattr(wish, each.name))):
            typed |= {(tag, value) for tag in (each.mark, each.of_parties) if tag}
    found: dict[tuple[str, str], list[str]] = {}
    kind, word = col(WordRow.kind), col(WordRow.word)
    for tag, begins in sorted(typed):
        if tag == "cn" or _is_short(begins):
            asked = select(word).where(kind == tag, word >= begins, word < begins + LAST).limit(MANY + 1)
            words = [str(each) for each in (await session.execute(asked)).scalars()]
            if len(words) <= MANY:
                found[tag, begins] = words
    return found


def _typed(text: str) -> list[str]:
    """The words somebody typed, as far as they are looked for."""
    return [word[:200] for word in normalised(text).split()[:8]]


def _of_goods(of: Filter, word: str) -> tuple[str, str]:
    return ("cn" if word.isdigit() else of.mark, word[:LONGEST])


def _beginning(kind: str, begins: str, known: Spelling) -> str:
    """A beginning in the language of searches: the words there are, or as it was typed."""
    mark = f"={kind}/" if kind else ""
    words = known.get((kind, begins))
    if words is None:
        return f"'{mark}{begins}':*"
    return "(" + " | ".join(f"'{mark}{each}'" for each in words or [NOBODY]) + ")"


# ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────────────


def conditions(actor: Actor, customs: str | None, wish: Any, known: Spelling) -> list[ColumnElement[bool]]:
    """What every certificate found must fulfil: that the reader may see it, and what he wishes."""
    found: list[ColumnElement[bool]] = []
    asked: list[str] = []
    for each in FILTERS:
        value = getattr(wish, each.name)
        if value in (None, "", [], False):
            continue
        if each.mark:
            looked_for = _marked(each, value, actor, known)
            if looked_for is None:
                return [~true()]
            asked.append(looked_for)
        else:
            found.append(_compared(each, value, actor))
    words = _typed(wish.text)
    if wish.text.strip() and not words:
        return [~true()]
    if WHOLE_NUMBER.fullmatch(wish.text.strip().upper()):  # its parts begin a million words; it is one row
        found.append(col(CertificateRow.number) == wish.text.strip().upper())
    elif words:
        asked.append(_free(words, actor, known))
    if not asked:
        return [_seen(actor, customs), *found]
    # who may see it is asked of the same index; the column has the last word, without an index of its own
    asked.insert(0, " | ".join([f"'=seen/{actor.organisation_id}'", *([f"'=customs/{customs}'"] if customs else [])]))
    together = cast(literal(" & ".join(f"({each})" for each in asked), Text), TSQUERY)
    return [col(CertificateRow.search).op("@@")(together), _seen(actor, customs, indexed=False), *found]


def _free(words: list[str], actor: Actor, known: Spelling) -> str:
    """Words anywhere; for who may be a mere producer, his own apart."""
    anywhere = " & ".join(_beginning(WORD, word, known) for word in words)
    if not _may_be_partial(actor):
        return anywhere
    me = actor.organisation_id
    own = " & ".join(f"'=part/{me}/word/{word[:LONGEST]}':*" for word in words)
    return f"({anywhere} & !'=part/{me}') | ({own})"


def _marked(of: Filter, value: Any, actor: Actor, known: Spelling) -> str | None:
    """One filter in the language of marks; None when nothing can fit."""
    if of.reads is Reads.TRUE:
        return f"'={of.mark}/{actor.organisation_id}'"
    if of.reads is Reads.WORDS:
        parts = [_of_goods(of, word) for word in normalised(value).split()[:8]]
        said = [_term(of, tag, word, actor, known) for tag, word in parts]
        return " & ".join(said) if said else None
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    if of.mark == PARTY:
        return " | ".join(f"'={role}/{value}'" for role in ROLES)
    if of.reads is Reads.BEGINNING:
        texts = [squeezed(each) for each in values]
        said = [_term(of, of.mark, each, actor, known) for each in texts if each]
    else:
        said = [_term(of, of.mark, str(each), actor, None) for each in values]
    return (" & " if of.all else " | ").join(said) if said else None


def _term(of: Filter, tag: str, value: str, actor: Actor, known: Spelling | None) -> str:
    """One mark: exactly this one, or every one that begins so when words are known."""
    anywhere = f"'={tag}/{value}'" if known is None else _beginning(tag, value, known)
    if of.of_parties and known is not None:
        mine = " | ".join(f"'={role}/{actor.organisation_id}'" for role in ("creator", *ROLES))
        return f"({anywhere} | ({_beginning(of.of_parties, value, known)} & ({mine})))"
    if not of.of_lines or not _may_be_partial(actor):
        return anywhere
    me, end = actor.organisation_id, "" if known is None else ":*"
    return f"(({anywhere} & !'=part/{me}') | '=part/{me}/{tag}/{value}'{end})"


def _may_be_partial(actor: Actor) -> bool:
    return actor.role_type == RoleType.OPERATOR


def _compared(of: Filter, value: Any, actor: Actor) -> ColumnElement[bool]:
    column = of.column
    if of.reads is Reads.STATUS:
        return column.in_(value)  # type: ignore[no-any-return]
    if of.reads is Reads.TRUE:
        return column.contains([actor.organisation_id])  # type: ignore[no-any-return]
    begins = _midnight(value if of.reads is Reads.FROM else value + timedelta(days=1))
    kept: ColumnElement[bool] = column >= begins if of.reads is Reads.FROM else column < begins
    return kept


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), DAYS_IN)


def narrowed(wish: Any) -> bool:
    """Whether a list is narrowed by anything but its status."""
    return bool(wish.text.strip()) or any(getattr(wish, each.name) for each in FILTERS if each.name != "status")


def _seen(actor: Actor, customs: str | None, *, indexed: bool = True) -> ColumnElement[bool]:
    """What this organisation may see, as of now."""
    readers = col(CertificateRow.visible_to)
    named: ColumnElement[bool] = (
        readers.contains([actor.organisation_id])
        if indexed
        else func.array_position(readers, literal(actor.organisation_id, Id)).is_not(None)
    )
    if customs:
        return or_(named, and_(col(CertificateRow.submitted), col(CertificateRow.clearance_country) == customs))
    return named
