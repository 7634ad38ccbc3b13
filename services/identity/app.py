"""Wiring of the HTTP door."""

from datetime import timedelta

from fastapi import FastAPI

from services.identity import (
    api_classic,
    api_home,
    api_profile,
    api_registrations,
    api_security,
    api_tokens,
    api_tools,
    api_users,
)
from services.identity.api import Desk, router
from services.identity.attempts import Attempts
from services.identity.passwords import Passwords
from services.identity.signing import Signer
from shared.kit import http
from shared.kit.keys import keyring
from shared.kit.process import Surroundings

SIGN_IN_LIMIT = 16_384
"""Nothing that is sent to identity is long."""


def create_app(around: Surroundings) -> FastAPI:
    """The identity service's HTTP door."""
    app = http.create_app("identity", around.gatekeeper, body_limit=SIGN_IN_LIMIT)
    rooms = (
        api_registrations, api_classic, api_users, api_security, api_profile, api_tokens, api_tools, api_home,
    )  # fmt: skip
    for door in (router, *(room.router for room in rooms)):
        app.include_router(door)
    http.add_feed(app, around.database)
    furnish(app, around)
    return app


def furnish(app: FastAPI, around: Surroundings) -> None:
    """Lay out what the doors of this app work with. It may be laid out anew: tests open one app in many houses."""
    settings = around.settings
    wrapping = keyring(settings.codec_key_file, "identity-tokens")
    signer = Signer(around.database, wrapping, timedelta(seconds=settings.token_seconds))
    attempts = Attempts(settings, Passwords(settings), around.database, around.now)
    app.state.gatekeeper, app.state.database = around.gatekeeper, around.database
    app.state.desk = Desk(around, attempts, signer)
