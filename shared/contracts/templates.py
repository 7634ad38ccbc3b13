"""Templates of an organisation: what certificates are begun from, under a name of its own."""

from datetime import datetime

from pydantic import Field

from shared.contracts.certificate_views import PartyView, View

LONGEST_NAME = 100


class NewTemplate(View):
    """A certificate to be kept as a template: what a copy would take over of it."""

    name: str = Field(max_length=LONGEST_NAME)
    certificate_id: str


class NewName(View):
    """Another name for a template."""

    name: str = Field(max_length=LONGEST_NAME)


class TemplateView(View):
    """One template, as a list shows it."""

    id: str
    name: str
    form_model: str
    goods: str
    exporter: PartyView | None = None
    importer: PartyView | None = None
    at: datetime
    person: str
    """Who kept it."""


class TemplatesView(View):
    """The templates of one's own organisation, by name."""

    items: list[TemplateView]
