"""Migrations of the notifications database."""

from services.notifications.models import METADATA
from shared.kit.migrations import environment

environment(METADATA)
