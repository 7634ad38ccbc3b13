"""Wiring of the HTTP door."""

from typing import Final

from fastapi import FastAPI

from services.directory import api, api_requests
from shared.contracts.machines import Scope
from shared.kit import http
from shared.kit.process import Surroundings

SCOPES: Final = {("GET", "/organisations"): Scope.READ, ("GET", "/organisations/{organisation_id}"): Scope.READ}
"""The doors that are open to programs: they have to find the ids of those they name."""


def create_app(around: Surroundings) -> FastAPI:
    """The directory service's HTTP door."""
    app = http.create_app("directory", around.gatekeeper)
    app.include_router(api.router)
    app.include_router(api_requests.router)
    http.add_feed(app, around.database)
    furnish(app, around)
    return app


def furnish(app: FastAPI, around: Surroundings) -> None:
    """Lay out what the doors of this app work with. It may be laid out anew: tests open one app in many houses."""
    around.database.told |= around.settings.policy
    app.state.scopes = SCOPES
    app.state.gatekeeper, app.state.database, app.state.around = around.gatekeeper, around.database, around
