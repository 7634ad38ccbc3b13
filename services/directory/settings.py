"""Settings of the directory service, from the environment (``DIRECTORY_…``)."""

from pathlib import Path

from pydantic import field_validator

from services.directory.deciders import POLICY
from shared.kit.settings import ServiceSettings, prefixed
from shared.rules.countries import UNION
from shared.rules.roles import BY_CONTROL_BODY


def _codes(told: str) -> frozenset[str]:
    return frozenset(each.strip().upper() for each in told.split(",") if each.strip())


class Settings(ServiceSettings):
    """What this service needs to know of its surroundings."""

    model_config = prefixed("DIRECTORY_")

    port: int = 8102
    by_control_body: str = ""
    """Member states that leave the validation of operators to their control bodies: ``AT,DE``."""
    demo_accounts_file: Path | None = None
    """Who works where in the demonstration; ``accounts.json`` beside the demo file when nothing is said."""

    @field_validator("by_control_body")
    @classmethod
    def _member_states(cls, told: str) -> str:
        if strange := _codes(told) - UNION:
            raise ValueError(f"not member states: {', '.join(sorted(strange))}")
        return told

    @property
    def policy(self) -> dict[str, frozenset[str]]:
        """What every session is told of who validates operators."""
        return {POLICY: _codes(self.by_control_body) or BY_CONTROL_BODY}

    @property
    def grants_file(self) -> Path | None:
        """The file that says who works where in the demonstration."""
        return self.demo_accounts_file or (self.demo_file and self.demo_file.with_name("accounts.json"))
