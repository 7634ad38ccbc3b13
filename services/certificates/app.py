"""Wiring of the HTTP process."""

from fastapi import FastAPI

from services.certificates.api import router
from shared.kit.http import add_feed, create_app
from shared.kit.process import Surroundings


def make_app(around: Surroundings) -> FastAPI:
    """The certificates service's HTTP door."""
    app = create_app("Bordereau · certificates", around.gatekeeper)
    app.state.around = around
    app.include_router(router)
    add_feed(app, around.database)
    return app
