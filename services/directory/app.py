"""Wiring of the HTTP door."""

from fastapi import FastAPI

from services.directory import api, api_requests
from shared.kit import http
from shared.kit.process import Surroundings


def create_app(around: Surroundings) -> FastAPI:
    """The directory service's HTTP door."""
    app = http.create_app("directory", around.gatekeeper)
    app.state.around = around
    around.database.told |= around.settings.policy
    app.include_router(api.router)
    app.include_router(api_requests.router)
    http.add_feed(app, around.database)
    return app
