"""The whole matrix on the page: for every status and tie, the buttons and the open fields are those of the row.

One thing to remember: what is expected is read off the two tables of the law, cell by cell; the page goes its own way.
"""

import re
from collections.abc import Callable

from services.portal.pages.certificates import DECISIONS
from shared.rules.boxes import BOXES, Filled, Model
from shared.rules.permissions import EVERYWHERE, MATRIX, Tie
from shared.rules.status import Action, Status, is_offered, moves
from tests.portal.conftest import Browser
from tests.portal.world import Paper, World, organisation_id

ME = {
    Tie.ISSUER: ("inspector@ecocert.example", "ecocert-ma"),
    Tie.ENTRY_AUTHORITY: ("officer@perpignan.example", "perpignan"),
    Tie.CENTRAL_AUTHORITY: ("supervisor@dgccrf.example", "dgccrf"),
}
"""Who looks by this tie; operators are all looked for by one importer, who is put into the box in question."""
OPERATOR = ("importer@pyrenees.example", "pyrenees-bio-import")
SOMEBODY = "acme-bio-imports"
BOX_OF = {Tie.IMPORTER: "importer", Tie.EXPORTER: "exporter", Tie.CONSIGNEE: "first_consignee"}
OWN = (frozenset({Tie.CREATOR}), *(frozenset({Tie.CREATOR, tie}) for tie in (Tie.IMPORTER, Tie.EXPORTER, Tie.ISSUER)))
"""In a draft its creator looks, alone or in one of the boxes."""
TYPED = {
    model: {row.field for row in BOXES if row.is_on(model) and row.filled in (Filled.BY_HAND, Filled.FILLED_IN)}
    for model in Model
}


def tied(world: World, status: Status, ties: frozenset[Tie]) -> tuple[Paper, str]:
    """A certificate on which the reader has exactly these ties, and who he is."""
    email, slug = next((ME[tie] for tie in ties if tie in ME), OPERATOR)
    me, other = organisation_id(slug), organisation_id(SOMEBODY)
    paper = world.paper(status)
    for tie, name in BOX_OF.items():
        paper.content[name] = me if tie in ties else other
    paper.content["responsible_for_load"] = [me if Tie.RFL in ties else other]
    paper.creator = me if Tie.CREATOR in ties else other
    assert world.certificates.ties(paper, me) == ties
    return paper, email


def row_of(status: Status, ties: frozenset[Tie]) -> tuple[set[str], set[Action]]:
    """What the two tables grant."""
    cells = [
        cell
        for table in (MATRIX[status], EVERYWHERE)
        for tie, cell in table.items()
        if tie in ties and (Tie.CREATOR in ties or not cell.own)
    ]
    edit = {field for cell in cells for field in cell.edit}
    return edit, {action for cell in cells for action in cell.do if is_offered(status, action)}


def buttons(page: str) -> set[Action]:
    """The moves a sheet offers, as links or as buttons of its form."""
    found = re.findall(r'href="/certificates/[^/"]+/do/(\w+)"', page)
    found += re.findall(r'name="do" value="(\w+)"', page)
    return {Action(each) for each in found if each in set(Action)}


async def test_the_page_offers_what_the_row_says_and_nothing_else(world: World, another: Callable[[], Browser]) -> None:
    readers: dict[str, Browser] = {}
    looked = 0
    for status in Status:
        for ties in OWN if status is Status.DRAFT else [frozenset({tie}) for tie in Tie if tie is not Tie.CREATOR]:
            paper, email = tied(world, status, ties)
            reader = readers.get(email) or await another().sign_in(email)
            readers[email] = reader
            edit, do = row_of(status, ties)
            case = (status, sorted(ties))
            page = (await reader.get(f"/certificates/{paper.id}")).text
            signs = {each for each in DECISIONS if each in do}
            shown = buttons(page)
            assert shown - set(DECISIONS) == do - signs - {Action.EXTRACT}, case
            assert (len(shown & signs), bool(signs)) in ((1, True), (0, False)), case  # one leads to all four
            amends = bool(edit) and status is not Status.DRAFT
            assert (f'href="/certificates/{paper.id}?edit=all"' in page) == (amends and moves_on(status)), case
            assert ("?field=" in page) == (status not in (Status.DRAFT, Status.DELETED)), case
            if edit:
                page = (await reader.get(f"/certificates/{paper.id}?edit=all")).text
            opened = set(re.findall(r'name="has" value="([\w.]+)"', page))
            assert opened == {each.partition(".")[0] for each in edit} & TYPED[Model.COI_2017], case
            parts = set(re.findall(r'name="line\.[^."]+\.(\w+)"', page))
            granted = {each.partition(".")[2] for each in edit if each.startswith("product_lines.")}
            assert parts == granted if "product_lines" not in edit else {"lot", "trade_name"} < parts, case
            looked += 1
    assert looked == len(OWN) + (len(Status) - 1) * (len(Tie) - 1)


def moves_on(status: Status) -> bool:
    """Whether boxes may be amended in this status at all."""
    return bool(moves(status, Action.AMEND))


async def test_nobody_else_sees_the_page(world: World, browser: Browser) -> None:
    await browser.sign_in("consignee@garonne.example")
    for status, tie in ((Status.DRAFT, Tie.CREATOR), (Status.ISSUED, Tie.IMPORTER), (Status.DELETED, Tie.IMPORTER)):
        paper, _ = tied(world, status, frozenset({tie}))
        assert (await browser.get(f"/certificates/{paper.id}")).status_code == 404
