"""Wiring of the HTTP process."""

import re

from fastapi import FastAPI

from services.certificates import (
    api_copies,
    api_finding,
    api_machines,
    documents_api,
    extract_api,
    lines_api,
    questions_api,
    sheets_of_lines,
    sps_api,
    templates_api,
)
from services.certificates.api import router
from services.certificates.pades import seals_of
from services.certificates.scopes import SCOPES
from services.certificates.seal import Seals
from services.certificates.stores import store_of
from shared.kit.http import add_feed, create_app
from shared.kit.keys import keyring
from shared.kit.process import Surroundings
from shared.rules.documents import LARGEST

ROOMY = (
    (re.compile(r"/certificates/[^/]+/uploads"), LARGEST + 1),
    (re.compile(r"/certificates/[^/]+/lines"), sheets_of_lines.LARGEST + 1),
    (re.compile(r"/public/verify/file"), api_copies.FILE_LIMIT),
)
"""Where more than an order may be sent: files. The reader of the file says itself when it is too large."""


def make_app(around: Surroundings) -> FastAPI:
    """The certificates service's HTTP door."""
    app = create_app("Bordereau · certificates", around.gatekeeper, roomy=ROOMY)
    app.include_router(router)
    app.include_router(api_copies.router)
    app.include_router(extract_api.router)
    app.include_router(documents_api.router)
    app.include_router(lines_api.router)
    app.include_router(sps_api.router)
    app.include_router(questions_api.router)
    app.include_router(templates_api.router)
    app.include_router(api_finding.router)
    app.include_router(api_machines.router)
    app.webhooks.add_api_route("moved", api_machines.told, methods=["POST"])
    add_feed(app, around.database)
    furnish(app, around)
    return app


def furnish(app: FastAPI, around: Surroundings) -> None:
    """Lay out what the doors of this app work with. It may be laid out anew: tests open one app in many houses."""
    app.state.around = around
    app.state.gatekeeper = around.gatekeeper
    app.state.database = around.database
    app.state.scopes = SCOPES
    app.state.seals = Seals(keyring(around.settings.codec_key_file, "seals"))
    app.state.file_seals = seals_of(around.settings)
    app.state.codes = keyring(around.settings.codec_key_file, "verification-codes")
    app.state.objects = store_of(around.settings)
