"""What the doors for people have in common: who asks, in which post, and how a process is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Header, Request

from shared.contracts.directory import (
    OPERATOR_LIFE,
    OPERATOR_VALIDATION,
    ROLE_VALIDATION,
    Instruction,
    Standing,
    StepWish,
    operator_life_id,
    operator_validation_id,
    role_validation_id,
)
from shared.kit.process import Surroundings
from shared.kit.sessions import CurrentPerson
from shared.rules.actor import Actor
from shared.words import best_language


def _around(request: Request) -> Surroundings:
    around: Surroundings = request.app.state.around
    return around


Around = Annotated[Surroundings, Depends(_around)]


async def _asker(person: CurrentPerson, acting_for: Annotated[str | None, Header()] = None) -> Actor:
    """The person asking, in the post he acts in, or in none: whoever asks for his first role has none yet."""
    if acting_for is not None or len(person.posts) == 1:
        return person.acting_for(acting_for)
    return Actor(person.person_id, person.name, "", "", person.session_id, person.proved_at, language=person.language)


Asker = Annotated[Actor, Depends(_asker)]


async def _language(accept_language: Annotated[str | None, Header()] = None) -> str:
    return best_language(accept_language)


Language = Annotated[str, Depends(_language)]


@dataclass(frozen=True)
class Course:
    """A kind of process, and the id of the one that keeps a record."""

    workflow: str
    id_of: Callable[[str], str]


OF_ROLES: Final = Course(ROLE_VALIDATION, role_validation_id)
OF_PROPOSALS: Final = Course(OPERATOR_VALIDATION, operator_validation_id)
OF_OPERATORS: Final = Course(OPERATOR_LIFE, operator_life_id)


async def ask(around: Surroundings, course: Course, about: str, wish: StepWish, actor: Actor, key: str) -> Standing:
    """Ask the process that keeps a record for one step; answered once it is on paper."""
    return await around.processes.ask(
        wish.action,
        Instruction(wish.action, actor, wish.revision, wish.form),
        workflow=course.workflow,
        workflow_id=course.id_of(about),
        life=Standing(about, "", revision=0, over=False),
        key=key,
        answer=Standing,
    )


def clean(value: Any) -> Any:
    """PostgreSQL knows no text with a zero in it."""
    return value.replace("\0", "") if isinstance(value, str) else value


def is_uuid(told: str) -> bool:
    """Whether this may be an id."""
    try:
        return bool(UUID(told))
    except ValueError:
        return False
