"""Other tools that let people sign in with their account here: each is a row of the setting IDENTITY_TOOLS.

One thing to remember: a browser is sent back to an address that stands in the tool's row, letter by letter, or nowhere.
"""

import hmac
from typing import Final, Self
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

SCOPES: Final = ("openid", "profile", "email")
"""What a tool may ask for; every tool asks for the first."""


class Tool(BaseModel):
    """One registered tool (a relying party of OpenID Connect)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,100}$")
    name: str = Field(min_length=1, max_length=100)
    secret: SecretStr | None = None
    """None for a program on somebody's own device, which can keep none."""
    redirect_uris: tuple[str, ...] = Field(min_length=1)
    scopes: tuple[str, ...] = SCOPES
    trusted: bool = False
    """Our own: its user is not asked whether it may know who he is."""
    pkce: bool = True
    """Whether it must prove, by PKCE, to be the one that asked; only a tool with a secret may go without."""
    role_types: tuple[str, ...] = ()
    """Only people with a role of one of these types are let in; empty for everybody."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.pkce and self.secret is None:
            raise ValueError("a tool without a secret must use PKCE")
        if self.secret is not None and len(self.secret.get_secret_value()) < 16:
            raise ValueError("a tool's secret has at least sixteen characters")
        for address in self.redirect_uris:
            parts = urlsplit(address)
            near = parts.hostname in ("localhost", "127.0.0.1", "::1")
            own_scheme = "." in parts.scheme  # a program on a device: com.example.app:/back
            if parts.fragment or not (parts.scheme == "https" or (parts.scheme == "http" and near) or own_scheme):
                raise ValueError(f"{address} is no address to send a browser back to")
        if not set(self.scopes) <= set(SCOPES):
            raise ValueError(f"a tool may ask for {', '.join(SCOPES)}")
        return self


class Client(ClientMixin):  # type: ignore[misc]
    """A tool as the protocol asks about it."""

    def __init__(self, tool: Tool) -> None:
        self.tool = tool

    def get_client_id(self) -> str:
        return self.tool.client_id

    def get_default_redirect_uri(self) -> None:
        """None: every request says where to go back to."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        asked = (scope or "").split()
        return " ".join(each for each in self.tool.scopes if each in asked) if "openid" in asked else None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.tool.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        kept = self.tool.secret
        return kept is not None and hmac.compare_digest(client_secret.encode(), kept.get_secret_value().encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return (method == "none") == (self.tool.secret is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"
