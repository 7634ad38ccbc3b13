"""What stands in the boxes: reading it, comparing it, and filling in what the system knows.

One thing to remember: content is JSON. Whatever is derived is derived again at every change, and never believed.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shared.rules.boxes import ALONE, BOX, BOXES, Content, Filled, Kind, Model, bare_root
from shared.rules.parties import Facts, Party, procedures
from shared.rules.permissions import Tie, may_see
from shared.rules.roles import ActivityType, RoleType
from shared.rules.status import Status

Row = Mapping[str, Any]

# fmt: off
COPIED: Final = frozenset({
    "issuing_body", "exporter", "trader_without_handling", "importer", "first_consignee", "release_by_batches",
    "responsible_for_load", "countries_of_origin", "country_of_export", "clearance_country", "entry_authority",
    "product_lines",
})
# fmt: on
"""What "copy as new" takes along: parties, boxes 7 to 11 and the products; of the products everything but the lot."""

_LISTS: Final = frozenset({Kind.ORGANISATIONS, Kind.COUNTRIES, Kind.TEXTS, Kind.LINES})


def blank() -> Content:
    """A certificate with nothing in its boxes."""
    fields = (box for box in BOXES if "." not in box.field and box.filled is not Filled.LATER)
    return {box.field: _nothing(box.kind) for box in fields if box.kind is not Kind.NUMBER}


def born(creator: Party, day: date) -> Content:
    """The boxes that a new draft owes to who draws it up: his own organisation, and what follows from it."""
    if creator.kind == RoleType.CONTROL_BODY:
        countries = sorted({each.country for each in creator.recognitions})
        return {"issuing_body": creator.id, "country_of_export": countries[0] if len(countries) == 1 else None}
    own: Content = {}
    if creator.holding({ActivityType.ORG_EXPORTER}, day):
        own |= {"exporter": creator.id, "country_of_export": creator.country}
    if creator.holding({ActivityType.ORG_IMPORTER}, day):
        own |= {"importer": creator.id}
    return own


def copied(content: Row) -> Content:
    """The boxes of a new draft made after this certificate."""
    rows = [{**line, "lot": None} for line in lines(content)]
    return {**blank(), **{name: content.get(name) for name in COPIED}, "product_lines": rows}


def kept(content: Row) -> Content:
    """What a copy or a template of this certificate takes over, without the boxes that stay empty."""
    return {field: value for field, value in copied(content).items() if value not in (None, [], False)}


def fill_in(content: Row, changes: Row, facts: Facts, creator: Party | None = None) -> Content:
    """These changes, and what follows from them in boxes the writer left open; all of it he may still change.

    With `creator` also his own organisation, in the box that is its own (guide 002 §3.1).
    """
    filled = in_boxes(content, changes)
    for name, own in born(creator, facts.now.date()).items() if creator else ():
        if not content.get(name):
            filled.setdefault(name, own)
    if exporter := facts.party(filled.get("exporter")):
        filled.setdefault("country_of_export", exporter.country)
        if not content.get("issuing_body"):
            filled.setdefault("issuing_body", body_of(exporter, ActivityType.ORG_EXPORTER))
    if "product_lines" in filled:
        filled["product_lines"] = _filled_lines(lines(filled), facts)
    return filled


def derive(content: Row, facts: Facts) -> Content:
    """The content with the boxes that nobody types: 2, 5, 6, 10 and the category of each line."""
    rows = [{**line, "category": _category(line, facts)} for line in lines(content)]
    consignee = facts.party(content.get("first_consignee"))
    return {
        **content,
        "product_lines": rows,
        "producers": _distinct(line.get("producer") for line in rows),
        "producers_control_bodies": _distinct(line.get("producer_control_body") for line in rows),
        "country_of_destination": consignee.country if consignee else None,
        "procedure": _procedure({**content, "product_lines": rows}, facts),
    }


# ------------------------------------------------------------------------------------------------------------ reading


def stands(content: Row, name: str) -> Any:
    """What stands in a field, or in a part of a signed box that is filled in by itself."""
    return (content.get(bare_root(name)) or {}).get(name.partition(".")[2]) if name in ALONE else content.get(name)


def in_boxes(content: Row, changes: Row) -> Content:
    """These changes by box: a part that is filled in by itself with the rest of its box."""
    found = {name: value for name, value in changes.items() if name not in ALONE}
    for name in ALONE & changes.keys():
        root, _, part = name.partition(".")
        found[root] = {**(content.get(root) or {}), part: changes[name]}
    return found


def lines(content: Row) -> list[Row]:
    """The product lines of box 13."""
    return list(content.get("product_lines") or ())


def moment(content: Row, name: str) -> datetime | None:
    """A date and time of the content, if it is there."""
    value = content.get(name)
    return datetime.fromisoformat(value) if value else None


def decimal(value: object) -> Decimal | None:
    """A weight of the content as a number, if it is one."""
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def body_of(operator: Party, activity: ActivityType) -> str | None:
    """The control body that certifies this operator for this activity."""
    return next((each.control_body for each in operator.activities if each.kind == activity), None)


def holders(place: str, content: Row) -> list[tuple[str, Row]]:
    """Where a field stands, by place and mapping: once in the content, in the group, or in each line."""
    root, dot, part = place.partition(".")
    if not dot:
        return [(root, content)]
    if root == "product_lines":
        return [(f"{root}[{number}].{part}", line) for number, line in enumerate(lines(content))]
    return [(place, content.get(root) or {})]


def organisations_in(content: Row) -> frozenset[str]:
    """Every organisation the content names anywhere: what has to be looked up before the law is asked."""
    found: set[str] = set()
    for box in BOXES:
        for _, holder in holders(box.field, content):
            value = holder.get(box.field.split(".")[-1])
            if box.kind is Kind.ORGANISATION:
                found.update([value] if isinstance(value, str) else ())
            if box.kind is Kind.ORGANISATIONS:
                found.update(value or ())
    return frozenset(found)


def commodities_in(content: Row) -> frozenset[str]:
    """Every commodity code the content names."""
    return frozenset(code for line in lines(content) if isinstance(code := line.get("cn_code"), str))


def places_of(organisation: str, content: Row) -> tuple[str, ...]:
    """Where the content names this organisation."""
    return tuple(
        place
        for box in BOXES
        if box.kind in (Kind.ORGANISATION, Kind.ORGANISATIONS)
        for place, holder in holders(box.field, content)
        if organisation == (value := holder.get(box.field.split(".")[-1]))
        or (isinstance(value, list) and organisation in value)
    )


def named(content: Row, creator: str, superior_of: Callable[[str], str | None]) -> dict[Tie, list[str]]:
    """Tie -> the organisations this certificate binds by it; a tie that binds nobody is left out."""
    ties: dict[Tie, list[str]] = {Tie.CREATOR: [creator]}
    for box in BOXES:
        if box.names and (value := content.get(box.field)):
            ties[box.names] = list(value) if isinstance(value, list) else [value]
    if superior := superior_of(content.get("entry_authority") or ""):
        ties[Tie.CENTRAL_AUTHORITY] = [superior]
    return ties


def ties_of(content: Row, creator: str, superior_of: Callable[[str], str | None]) -> Callable[[str], frozenset[Tie]]:
    """A function from an organisation to the ties by which this certificate binds it."""
    ties = named(content, creator, superior_of)
    return lambda organisation: frozenset(tie for tie, bound in ties.items() if organisation in bound)


def readers(content: Row, parties: Mapping[str, Party]) -> frozenset[str]:
    """Who may read a submitted certificate without a tie: producers, their bodies, and the importer's own body."""
    importer = parties.get(content.get("importer") or "")
    body = body_of(importer, ActivityType.ORG_IMPORTER) if importer else None
    behind = [*(content.get("producers") or ()), *(content.get("producers_control_bodies") or ()), body]
    return frozenset(each for each in behind if each)


def sees(content: Row, creator: str, status: Status, submitted: bool, parties: Mapping[str, Party]) -> frozenset[str]:
    """The organisations that may see the certificate as it stands: those it binds, and those that only read."""
    bound = named(content, creator, lambda authority: parties[authority].superior if authority in parties else None)
    open_to = {each for tie, some in bound.items() if may_see(status, frozenset({tie}), submitted) for each in some}
    return frozenset(open_to | readers(content, parties) if submitted else open_to)


def seen_by(organisation: str, ties: frozenset[Tie], content: Row) -> Content:
    """The content as this organisation may read it: a producer without another tie sees his own lines of box 13."""
    bodies = content.get("producers_control_bodies") or ()
    if ties or organisation in bodies or organisation not in (content.get("producers") or ()):
        return dict(content)
    own = [line for line in lines(content) if line.get("producer") == organisation]
    his = _distinct(line.get("producer_control_body") for line in own)
    return {**content, "product_lines": own, "producers": [organisation], "producers_control_bodies": his}


# ---------------------------------------------------------------------------------------------------------- comparing


def changed(before: Row, changes: Row) -> frozenset[str]:
    """The fields these changes really change, as finely as permissions are given: product_lines.packages, say."""
    found: set[str] = set()
    for name, after in changes.items():
        if _same(stands(before, name), after):
            continue
        if name == "product_lines":
            found |= _changed_lines(lines(before), lines(changes))
        elif name == "responsible_for_load" and set(before.get(name) or ()) <= set(after or ()):
            found.add("responsible_for_load.add")
        else:
            found.add(name)
    return frozenset(found)


def covers(edit: frozenset[str], wanted: str) -> bool:
    """Whether a permission to edit these fields covers the wanted one: a whole box covers its parts, if not signed."""
    return wanted in edit or (wanted not in ALONE and wanted.split(".")[0] in edit)


def fillable(edit: Iterable[str], content: Row, model: Model) -> frozenset[str]:
    """Of the fields somebody may edit, those of this form; the part of a signed box only where there is one."""
    return frozenset(
        field
        for field in edit
        if (BOX.get(field) or BOX[bare_root(field)]).is_on(model)
        and (field not in ALONE or content.get(bare_root(field)))
    )


def _changed_lines(before: list[Row], after: list[Row]) -> set[str]:
    """Which parts of which lines differ; a line added, removed or moved changes the whole box."""
    if [line.get("id") for line in before] != [line.get("id") for line in after]:
        return {"product_lines"}
    return {
        f"product_lines.{part}"
        for old, new in zip(before, after, strict=True)
        for part in {**old, **new}
        if part != "category" and not _same(old.get(part), new.get(part))
    }


def _same(one: object, other: object) -> bool:
    """Whether two values of a field mean the same; nothing, an empty list and an unticked box do."""
    return one == other or (_is_nothing(one) and _is_nothing(other))


def _is_nothing(value: object) -> bool:
    return value is None or value is False or value in ("", [], {})


# ------------------------------------------------------------------------------------------------------------ filling


def _nothing(kind: Kind) -> object:
    """What an empty field of this kind holds."""
    return [] if kind in _LISTS else False if kind is Kind.YES_NO else None


def _filled_lines(rows: list[Row], facts: Facts) -> list[Row]:
    """The lines with an id, a unit and the producer's control body where they were left open."""
    taken = {line.get("id") for line in rows}
    free = (number for number in map(str, range(1, 2 * len(rows) + 1)) if number not in taken)
    return [
        {
            **line,
            "id": line.get("id") or next(free),
            "unit": line.get("unit") or "KGM",
            "producer_control_body": line.get("producer_control_body") or _producers_body(line, facts),
        }
        for line in rows
    ]


def _producers_body(line: Row, facts: Facts) -> str | None:
    producer = facts.party(line.get("producer"))
    return body_of(producer, ActivityType.ORG_PRODUCER) if producer else None


def _category(line: Row, facts: Facts) -> object:
    """The category of a line's commodity; what it says itself only where the nomenclature is silent."""
    commodity = facts.commodities.get(line.get("cn_code") or "")
    return commodity.category if commodity else line.get("category")


def _procedure(content: Row, facts: Facts) -> str | None:
    """Box 2: the one regime under which the body of box 1 may certify all the lines from the country of box 8."""
    body, country = facts.party(content.get("issuing_body")), content.get("country_of_export")
    categories = {line["category"] for line in lines(content) if line.get("category")}
    if not (body and country and categories):
        return None
    regimes = procedures(body, country, categories, facts.now.date())
    return regimes[0].value if regimes else None


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, in the order they came, without the empty ones."""
    return list(dict.fromkeys(value for value in values if value))
