"""Settings of the directory service, from the environment (``DIRECTORY_…``)."""

from pathlib import Path

from shared.kit.settings import ServiceSettings, prefixed


class Settings(ServiceSettings):
    """What this service needs to know of its surroundings."""

    model_config = prefixed("DIRECTORY_")

    port: int = 8102
    demo_accounts_file: Path | None = None
    """Who works where in the demonstration; ``accounts.json`` beside the demo file when nothing is said."""

    @property
    def grants_file(self) -> Path | None:
        """The file that says who works where in the demonstration."""
        return self.demo_accounts_file or (self.demo_file and self.demo_file.with_name("accounts.json"))
