"""Wiring of the HTTP process."""

from fastapi import FastAPI

from services.certificates import api_copies, extract_api
from services.certificates.api import router
from services.certificates.pades import LocalSeals
from services.certificates.seal import Seals
from shared.kit.http import add_feed, create_app
from shared.kit.keys import keyring
from shared.kit.process import Surroundings


def make_app(around: Surroundings) -> FastAPI:
    """The certificates service's HTTP door."""
    app = create_app("Bordereau · certificates", around.gatekeeper)
    app.state.around = around
    app.state.seals = Seals(keyring(around.settings.codec_key_file, "seals"))
    app.state.file_seals = LocalSeals(keyring(around.settings.codec_key_file, "file-seals"))
    app.state.codes = keyring(around.settings.codec_key_file, "verification-codes")
    app.include_router(router)
    app.include_router(api_copies.router)
    app.include_router(extract_api.router)
    add_feed(app, around.database)
    return app
