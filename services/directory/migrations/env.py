"""Alembic's entry: the kit does the work."""

from services.directory.models import METADATA
from shared.kit.migrations import environment

environment(METADATA)
