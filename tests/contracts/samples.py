"""Samples of every event, as they may lie in a stream for years; ``python -m tests.contracts.samples`` adds new ones.

A sample is never changed: whoever reads streams must go on reading it. An event with a new field gets one more.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import BaseModel

from shared.events import certificates, directory, identity
from shared.events.base import CATALOGUE, Event

FOLDER = Path(__file__).parent / "events"
PUBLISHERS = (certificates, directory, identity)
MOMENT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def written(kind: type[Event]) -> list[dict[str, Any]]:
    """The samples of an event that are checked in, oldest first."""
    file = FOLDER / f"{kind.subject}.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return found


def names(sample: Mapping[str, Any], above: str = "") -> set[str]:
    """Every field a sample shows, those inside by their dotted name."""
    found = set()
    for name, value in sample.items():
        found.add(above + name)
        inner = value[0] if isinstance(value, list) and value else value
        if isinstance(inner, dict):
            found |= names(inner, f"{above}{name}.")
    return found


def fresh(kind: type[Event]) -> dict[str, Any]:
    """An event with something in every field."""
    return kind.model_validate(_of_model(kind)).model_dump(mode="json")


def _of_model(kind: type[BaseModel]) -> dict[str, Any]:
    return {name: _of(field.annotation, f"{kind.__name__}.{name}") for name, field in kind.model_fields.items()}


def _of(kind: Any, place: str) -> Any:
    """A value of this kind, always the same at the same place."""
    parts = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return _of(next(part for part in parts if part is not NoneType), place)
    if get_origin(kind) in (list, tuple, set, frozenset):
        return [_of(parts[0], place)]
    if get_origin(kind) in (dict, Mapping):
        return {_of(parts[0], place): _of(parts[1], place)}
    if get_origin(kind) is Literal:
        return parts[0]
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _of_model(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    simple = {datetime: MOMENT, date: MOMENT.date(), bool: True, int: 7, float: 0.5, UUID: uuid5(NAMESPACE_URL, place)}
    if kind in simple:
        return simple[kind]
    return str(uuid5(NAMESPACE_URL, place)) if place.endswith(("id", "organisation", "by", "creator")) else "sample"


def main() -> None:
    """Add a sample of every event whose fields are not all shown by those there are."""
    FOLDER.mkdir(exist_ok=True)
    for kind in CATALOGUE.values():
        samples, new = written(kind), fresh(kind)
        if names(new) - {name for each in samples for name in names(each)}:
            file = FOLDER / f"{kind.subject}.json"
            file.write_text(json.dumps([*samples, new], indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            print(f"{file.name}: {len(samples) + 1} samples")


if __name__ == "__main__":
    main()
