"""The shape of an event, and the catalogue of all of them. A subject ends in its version; a break makes a new one."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

CATALOGUE: dict[str, type["Event"]] = {}


class Event(BaseModel):
    """Something that has happened. Its subject is ``<publisher>.<thing>.<what happened>.v<n>``."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    subject: ClassVar[str]

    id: UUID = Field(default_factory=uuid4)
    at: datetime

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "subject" not in cls.__dict__:
            return
        if cls.subject in CATALOGUE:
            raise TypeError(f"two events say {cls.subject}")
        CATALOGUE[cls.subject] = cls

    @classmethod
    def publisher(cls) -> str:
        """The service that announces this event: the first word of its subject."""
        return cls.subject.partition(".")[0]
