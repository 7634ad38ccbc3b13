"""The NATS door: what the directory listens to. So far it only speaks."""

from collections.abc import Mapping
from typing import Final

from shared.events.base import Event
from shared.kit.bus import Handler

HANDLERS: Final[Mapping[type[Event], Handler]] = {}
