"""OpenID Connect: the authorization code with PKCE, as Authlib checks and answers it.

One thing to remember: no query is here. The door reads everything first and writes afterwards, in one transaction; a
``Provider`` lives for one request and only says what follows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, InvalidRequestError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import OAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode, UserInfo
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from authlib.oidc.core.models import AuthorizationCodeMixin
from joserfc.jwk import RSAKey

from services.identity.models import AccountRow, AdmissionRow
from services.identity.tools import SCOPES, Client, Tool
from shared.kit import tokens

CODE_LIFETIME: Final = timedelta(seconds=60)
"""Between the browser's way back and the tool's question."""
TOKEN_LIFETIME: Final = timedelta(minutes=10)
"""How long a tool may ask who somebody is, and how long an id token is good for."""
RECENT: Final = timedelta(minutes=1)
"""Whoever must sign in anew proves himself, and that proof is good for one return."""
ALGORITHM: Final = "RS256"
ONCE: Final = ("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "prompt", "max_age",
               "code_challenge", "code_challenge_method")  # fmt: skip


def discovery(issuer: str) -> dict[str, Any]:
    """What other tools need to know of us (OpenID Connect Discovery)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/keys",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": ["sub", "auth_time", "name", "given_name", "family_name", "preferred_username", "locale",
                             "zoneinfo", "email", "email_verified"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
    }  # fmt: skip


def who(account: AccountRow, scope: str) -> dict[str, Any]:
    """What a tool learns of a person."""
    known = UserInfo(
        sub=account.id,
        name=f"{account.first_name} {account.last_name}".strip(),
        given_name=account.first_name,
        family_name=account.last_name,
        preferred_username=account.username or account.email,
        locale=account.language,
        zoneinfo=account.time_zone,
        email=account.email,
        email_verified=True,  # nobody has an account who has not followed a link in a letter
    )
    return dict(known.filter(scope))


class _Payload(OAuth2Payload):  # type: ignore[misc]
    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._many: dict[str, list[str]] = {}
        for name, value in pairs:
            self._many.setdefault(name, []).append(value)

    @property
    def data(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._many.items()}

    @property
    def datalist(self) -> Any:
        return self._many


class Question(OAuth2Request):  # type: ignore[misc]
    """What a browser or a tool has sent."""

    def __init__(self, method: str, pairs: Iterable[tuple[str, str]], authorization: str | None = None) -> None:
        super().__init__(method, "https://identity/", headers={"Authorization": authorization} if authorization else {})
        self.payload = _Payload(pairs)

    @property
    def args(self) -> dict[str, str]:
        return self.payload.data

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data

    @property
    def twice(self) -> str:
        """A parameter that was sent more than once, where once is all there may be."""
        return next((name for name in ONCE if len(self.payload.datalist.get(name, ())) > 1), "")


class Code(AuthorizationCodeMixin):  # type: ignore[misc]
    """An authorization code, as the protocol asks about it."""

    code_challenge_method = "S256"

    def __init__(self, row: AdmissionRow) -> None:
        self.row = row
        self.code_challenge = row.said.get("code_challenge")

    def get_redirect_uri(self) -> str:
        return str(self.row.said["redirect_uri"])

    def get_scope(self) -> str:
        return str(self.row.said["scope"])

    def get_nonce(self) -> str | None:
        return self.row.said.get("nonce")

    def get_auth_time(self) -> int | None:
        return int(self.row.proved_at.timestamp()) if self.row.proved_at else None


@dataclass
class Answer:
    """What goes back over HTTP."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Visit:
    """Who is signed in, in which session, and when he last proved himself."""

    account: AccountRow
    session_id: str
    proved_at: datetime
    role_types: frozenset[str]


@dataclass
class Provider(AuthorizationServer):  # type: ignore[misc]
    """One request's worth of the protocol."""

    issuer: str
    tools: Mapping[str, Tool]
    now: datetime
    key: RSAKey | None = None
    row: AdmissionRow | None = None
    """The code that was shown, whatever has become of it."""
    holder: AccountRow | None = None
    """Whose code it is, if his session and his account are still good."""
    visit: Visit | None = None
    made: AdmissionRow | None = None
    """The code that was handed out."""
    bearer: str = ""
    """The access token that was handed out."""
    reused: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self.register_grant(_Grant, [_Challenge(), _Identity()])
        self.register_token_generator(
            "default",
            BearerTokenGenerator(lambda **_: tokens.mint("tool")[0], None, int(TOKEN_LIFETIME.total_seconds())),
        )

    def query_client(self, client_id: str) -> Client | None:
        tool = self.tools.get(client_id)
        return Client(tool) if tool else None

    def create_oauth2_request(self, request: Question) -> Question:
        return request

    def handle_response(self, status: int, body: Any, headers: Iterable[tuple[str, str]]) -> Answer:
        return Answer(status, body, dict(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def save_token(self, token: Mapping[str, Any], request: Question) -> None:
        self.bearer = str(token["access_token"])

    # ── The browser's half ──

    def asked(self, question: Question) -> Any:
        """The grant that was asked for, checked; an ``OAuth2Error`` knows where to go back to, or that it may not."""
        grant = self.get_consent_grant(question, end_user=self.visit)
        if name := question.twice:
            raise InvalidRequestError(f"Multiple '{name}' in request.", redirect_uri=grant.redirect_uri)
        return grant

    def must_prove(self, grant: Any) -> bool:
        """Whether the tool wants a fresher proof of the person than there is."""
        assert self.visit is not None
        said = grant.request.payload.data
        age = self.now - self.visit.proved_at
        wanted = said.get("max_age", "")
        too_old = wanted.isdigit() and age > timedelta(seconds=int(wanted[:9]))
        return too_old or ("login" in said.get("prompt", "").split() and age > RECENT)

    def silent(self, grant: Any, error: type[OAuth2Error] | None) -> None:
        """Where the tool wants no page shown: say why one is needed."""
        if error is not None and grant.request.payload.data.get("prompt") == "none":
            raise error(redirect_uri=grant.redirect_uri)

    def answered(self, grant: Any, yes: bool) -> str:
        """Where the browser goes, with a code or with a no."""
        answer = self.create_authorization_response(grant.request, self.visit if yes else None, grant)
        return self.signed(answer.headers["Location"])

    def back(self, error: OAuth2Error, question: Question) -> str:
        """Where the browser goes with an error; empty where it may go nowhere."""
        if not error.redirect_uri:
            return ""
        error.state = question.payload.state
        return self.signed(dict(error()[2])["Location"])

    def signed(self, location: str) -> str:
        """With our name, so that a tool with several providers cannot be confused (RFC 9207)."""
        return str(add_params_to_uri(location, [("iss", self.issuer)]))


class _Grant(AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "none"]
    server: Provider

    def generate_authorization_code(self) -> str:
        return tokens.mint("code")[0]

    def save_authorization_code(self, code: str, request: Question) -> None:
        visit: Visit = request.user
        said = request.payload.data
        kept = {name: said[name] for name in ("redirect_uri", "nonce", "code_challenge") if said.get(name)}
        self.server.made = AdmissionRow(
            digest=tokens.digest(code),
            client_id=request.client.get_client_id(),
            person_id=visit.account.id,
            session_id=visit.session_id,
            said={**kept, "scope": request.scope},
            proved_at=visit.proved_at,
            expires_at=self.server.now + CODE_LIFETIME,
        )

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        row = self.server.row
        if row is None or row.client_id != client.get_client_id():
            return None
        if row.used_at is not None:
            self.server.reused = True
            return None
        return Code(row) if self.server.now < row.expires_at else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It stays, marked used: somebody who shows it again is noticed."""

    def authenticate_user(self, authorization_code: Code) -> AccountRow | None:
        return self.server.holder


class _Challenge(CodeChallenge):  # type: ignore[misc]
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        said = grant.request.payload.data
        if grant.request.client.tool.pkce and not said.get("code_challenge"):
            raise InvalidRequestError("Missing 'code_challenge'")
        if said.get("code_challenge") and said.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The 'code_challenge_method' must be S256")
        super().validate_code_challenge(grant, redirect_uri)


class _Identity(OpenIDCode):  # type: ignore[misc]
    server: Provider

    def __call__(self, grant: Any) -> None:
        self.server = grant.server
        super().__call__(grant)

    def exists_nonce(self, nonce: str, request: Question) -> bool:
        return False  # a nonce is the tool's to check; a code is good once whatever it says

    def resolve_client_private_key(self, client: Client) -> RSAKey | None:
        return self.server.key

    def get_encode_header(self, client: Client) -> dict[str, str]:
        assert self.server.key is not None
        return {"alg": ALGORITHM, "kid": str(self.server.key.kid)}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        now = int(self.server.now.timestamp())
        until = now + int(TOKEN_LIFETIME.total_seconds())
        return {"iss": self.server.issuer, "aud": [client.get_client_id()], "iat": now, "exp": until}

    def generate_user_info(self, user: AccountRow, scope: str) -> dict[str, Any]:
        return who(user, scope)


CONSENT_NEEDED: Final = ConsentRequiredError
LOGIN_NEEDED: Final = LoginRequiredError
