"""``python -m services.portal``: the web site. It has no worker, no database and no engine."""

import asyncio
import sys

import uvicorn
import uvloop

from services.portal.app import create_app
from services.portal.over_http import over_http
from services.portal.settings import PortalSettings
from shared.kit import log
from shared.kit.keys import keyring
from shared.rules import lengths


def main() -> None:
    """Serve the web site until told to stop; `all` and `api` mean the same here."""
    if sys.argv[1:] and sys.argv[1] not in ("all", "api"):
        sys.exit("usage: python -m services.portal [all|api]")
    settings = PortalSettings()
    log.set_up("portal", settings.log_level)
    lengths.use(settings.clocks)
    app = create_app(settings, over_http(settings.base_url, keyring(settings.codec_key_file, "services")))
    config = uvicorn.Config(
        app,
        settings.host,
        settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())


if __name__ == "__main__":
    main()
