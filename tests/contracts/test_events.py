"""Every event is named well, tells no personal data, and goes on being understood."""

import inspect
import json
import re
from importlib import import_module
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession

from shared.events.base import CATALOGUE, Event
from shared.events.directory import Organisation
from tests.contracts.samples import FOLDER, PUBLISHERS, fresh, names, written

SERVICES = ("identity", "directory", "certificates", "notifications")
PERSONAL = {
    "email", "mail", "phone", "fax", "mobile", "first_name", "last_name", "full_name", "surname", "name", "address",
    "street", "city", "postal_code", "birthday", "password", "token", "secret", "answer", "ip", "contacts",
}  # fmt: skip
KINDS = sorted(CATALOGUE.values(), key=lambda kind: kind.subject)


def as_then(now: Any, then: Any) -> Any:
    """What is said now, of what was said then: fields that were added are left out."""
    if isinstance(now, dict) and isinstance(then, dict):
        return {name: as_then(now[name], then[name]) for name in then}
    if isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        return [as_then(*pair) for pair in zip(now, then, strict=True)]
    return now


def fields_of(kind: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Every field of a model and of the models inside it, with the model it stands in."""
    found = {}
    for name, field in kind.model_fields.items():
        found[name] = kind
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= fields_of(part)
    return found


def test_the_catalogue_is_complete_and_each_subject_is_one_event() -> None:
    told = [
        value
        for module in PUBLISHERS
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Event) and "subject" in vars(value)
    ]
    assert {kind.__name__ for kind in told} == {kind.__name__ for kind in KINDS}
    assert len({kind.subject for kind in told}) == len(told) == len(CATALOGUE)


def test_two_events_cannot_say_the_same() -> None:
    with pytest.raises(TypeError, match="two events say"):
        type("Again", (Event,), {"subject": KINDS[0].subject, "__module__": __name__})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.subject))
def test_a_subject_says_who_what_and_which_version(kind: type[Event]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+\.[a-z_]+\.v[1-9][0-9]*", kind.subject)
    assert kind.publisher() in SERVICES
    assert kind.__module__ == f"shared.events.{kind.publisher()}"
    assert kind.__doc__ is not None
    assert kind.__doc__.strip().endswith(".")
    assert kind.model_config.get("frozen")
    assert kind.model_config.get("extra") == "ignore"  # tomorrow's fields do not disturb today's readers


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.subject))
def test_an_event_names_persons_by_their_id_only(kind: type[Event]) -> None:
    for name, model in fields_of(kind).items():
        if model is not Organisation:  # an organisation's record is public
            assert name not in PERSONAL, f"{model.__name__}.{name}"
        assert name == "person_id" or "person" not in name, f"{model.__name__}.{name}"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.subject))
def test_every_sample_is_still_understood_whole(kind: type[Event]) -> None:
    for sample in written(kind):
        event = kind.model_validate(sample)
        again = json.loads(event.model_dump_json())
        assert names(sample) <= names(again), "a field has gone: make a new version of the event instead"
        assert as_then(again, sample) == sample
        assert kind.model_validate_json(event.model_dump_json()) == event
        assert kind.model_validate({**sample, "of_tomorrow": {"x": 1}}) == event


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.subject))
def test_every_field_has_a_sample(kind: type[Event]) -> None:
    shown = {name for sample in written(kind) for name in names(sample)}
    assert names(fresh(kind)) <= shown, "run: python -m tests.contracts.samples"


def test_no_sample_is_left_over() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == set(CATALOGUE)


def handlers() -> list[Any]:
    """Service, event and handler, for every row of every service's table."""
    return [
        pytest.param(service, kind, do, id=f"{service} {kind.__name__}")
        for service in SERVICES
        for kind, do in import_module(f"services.{service}.events").HANDLERS.items()
    ]


@pytest.mark.parametrize(("service", "kind", "do"), handlers())
def test_a_handler_takes_a_session_and_the_event_it_is_told(service: str, kind: type[Event], do: Any) -> None:
    assert CATALOGUE[kind.subject] is kind
    assert inspect.iscoroutinefunction(do)
    session, event = inspect.get_annotations(do, eval_str=True).values().__iter__(), None
    first, event = next(session), next(session)
    assert first is AsyncSession
    assert kind is event or kind in get_args(event) or (isinstance(event, type) and issubclass(kind, event))
