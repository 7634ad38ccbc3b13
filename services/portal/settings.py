"""What the portal needs to know of its surroundings."""

from typing import Literal

from shared.kit.settings import ServiceSettings, prefixed


class PortalSettings(ServiceSettings):
    """Settings of the portal, from variables that begin with PORTAL_."""

    model_config = prefixed("PORTAL_")

    port: int = 8080
    environment: Literal["", "production", "acceptance", "training"] = ""
    """Which installation this is, where there are several: every page then says so, in a colour of its own."""

    accounts_of: str = ""
    """The address of another installation whose accounts sign in here as well, as identity was told."""

    @property
    def secure(self) -> bool:
        """Whether browsers reach the portal over TLS, so that cookies may insist on it."""
        return self.portal_url.startswith("https://")
