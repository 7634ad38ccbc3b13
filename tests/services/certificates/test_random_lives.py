"""Random lives: orders, edits and amendments in any order, against the real paper and PostgreSQL.

One thing to remember: the machine remembers in a few attributes what the two tables of the law say must have come of
each step; a refusal changes nothing and is heard again by whoever asks again.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import Phase, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.certificates import store
from shared.contracts.certificate_views import Edit
from shared.contracts.certificates import Record
from shared.rules.forms import SIGNATURES
from shared.rules.refusals import Refused
from shared.rules.status import MOVES, Action, Status
from tests.services.certificates import world
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.test_after_signature import NOTICE, REPLY
from tests.services.certificates.test_every_right import granted, viewers
from tests.services.certificates.world import BODY, EXPORTER, IMPORTER, POST

TOLD = {
    **world.FORMS,
    "signal_irregularity": NOTICE,
    "reply_irregularity": REPLY,
    "conclude_irregularity": {"decision": "as_before", "conclusion": "unfounded"},
}
ORDERS = sorted(Action(each) for each in TOLD)
"""Customs procedures, checks and successors: tests/services/certificates/test_after_signature.py."""
TYPED: dict[str, some.SearchStrategy[Any]] = {
    "seals": some.lists(some.sampled_from(["S-1", "S-2", "S-3"]), min_size=1, unique=True),
    "national_reference": some.sampled_from(["N-1", "N-2"]),
    "gross_weight": some.sampled_from([{"value": value, "unit": "KGM"} for value in ("1100", "1200")]),
    "countries_of_origin": some.sampled_from([["MA"], ["TN"]]),
    "entry_authority": some.just(POST),
}
HOW = ("lawfully",) * 6 + ("by anybody", "late")
T = TypeVar("T")
QUICK = settings(max_examples=12, stateful_step_count=20, deadline=None, phases=[Phase.explicit, Phase.generate])


class Steps(RuleBasedStateMachine):
    """Steps of a machine in a thread of its own; what it does is done in the loop of the test."""

    house: ClassVar[House]
    loop: ClassVar[asyncio.AbstractEventLoop]
    came: ClassVar[Counter[str]]

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """What this work comes to."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def told(self, work: Coroutine[Any, Any, T]) -> T | str:
        """What came of it, or the code it was refused with."""
        try:
            done = self.wait(work)
        except Refused as no:
            self.came[no.code] += 1
            return no.code
        self.came["done"] += 1
        return done


async def played(house: House, machine: type[Steps], how: settings = QUICK) -> Counter[str]:
    """Let a machine run against this house; how often each thing came of a step."""
    ours: dict[str, Any] = {"house": house, "loop": asyncio.get_running_loop(), "came": Counter[str]()}
    await asyncio.to_thread(run_state_machine_as_test, type(machine.__name__, (machine,), ours), settings=how)
    came: Counter[str] = ours["came"]
    return came


# ── certificates ──────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Stand:
    """Where a certificate must stand."""

    id: str
    creator: str
    status: Status = Status.DRAFT
    before: Status = Status.DRAFT
    revision: int = 1
    lines: int = 1
    seals: int = 0
    orders: list[tuple[Record, Any]] = field(default_factory=list)


class Certificates(Steps):
    """One certificate in all its hands."""

    @initialize(creator=some.sampled_from([EXPORTER, IMPORTER, BODY]), batches=some.booleans())
    def born(self, creator: str, batches: bool) -> None:
        changes: dict[str, Any] = {"first_consignee": None, "release_by_batches": True} if batches else {}
        self.stand = Stand(self.wait(self.house.draft(creator, **changes)), creator)
        self.batches = batches

    def ties(self, by: str) -> Any:
        ties = viewers(self.stand.creator)[by]
        return ties - {"CONSIGNEE"} if self.batches else ties

    @rule(data=some.data(), action=some.sampled_from(ORDERS), how=some.sampled_from(HOW))
    def order(self, data: Any, action: Action, how: str) -> None:
        may = [
            (by, each)
            for by in sorted(viewers(self.stand.creator))
            for each in sorted(granted(self.stand.status, self.ties(by))[1] & set(ORDERS) - {Action.DELETE})
        ]  # what is deleted has no life any more: that is left to chance
        by = data.draw(some.sampled_from(sorted(viewers(self.stand.creator))))
        if how != "by anybody" and may:
            by, action = data.draw(some.sampled_from(may))
        revision = self.stand.revision - (how == "late")
        told = self.wait(self.house.order(self.stand.id, action, by, revision=revision, form=TOLD.get(action, {})))
        record = Record(self.stand.id, told, fresh())
        said = self.told(self.house.activities.record(record))
        self.stand.orders.append((record, said if isinstance(said, str) else said.answer))
        starts = (self.stand.status, action) in {(each.source, each.action) for each in MOVES}
        allowed = starts and action in granted(self.stand.status, self.ties(by))[1]
        if isinstance(said, str):
            expected = {"stale_revision", "incomplete", "departed", "invalid"} if allowed else {
                "not_found", "wrong_status", "not_permitted"
            }  # fmt: skip
            assert said in expected, (action, by, said)
            return
        assert allowed, (action, by)
        assert revision == self.stand.revision
        targets = {each.target for each in MOVES if (each.source, each.action) == (self.stand.status, action)}
        now = Status(said.answer.status)
        assert now in targets or (None in targets and now is self.stand.before), (action, now)
        if now is not self.stand.status:
            self.stand.before = self.stand.status
        self.stand.status, self.stand.revision = now, said.answer.revision
        self.stand.lines += 1
        self.stand.seals += action in SIGNATURES

    @rule(data=some.data(), name=some.sampled_from(sorted(TYPED)))
    def edit(self, data: Any, name: str) -> None:
        may = [by for by in sorted(viewers(self.stand.creator)) if name in granted(self.stand.status, self.ties(by))[0]]
        everybody = sorted(viewers(self.stand.creator))
        by = data.draw(some.sampled_from(may * len(everybody) + everybody))
        value = data.draw(TYPED[name])
        row = self.wait(self.house.row(self.stand.id))
        said = self.told(self.amended(by, {name: value}))
        if isinstance(said, str):
            assert said in {"not_found", "wrong_status", "not_permitted", "incomplete"}, said
            return
        edit, _ = granted(self.stand.status, self.ties(by))
        assert name in edit or row.content.get(name) == value, (name, by)
        self.stand.lines += self.wait(self.house.row(self.stand.id)).journal_length - row.journal_length
        self.stand.revision = said
        renewed = name in store.RENEWS and row.content.get(name) != value
        self.stand.seals += self.stand.status is Status.ISSUED and by == BODY and renewed

    async def amended(self, by: str, changes: dict[str, Any]) -> int:
        """Boxes changed as the door changes them: after box 18 the body's seal is renewed; the revision they got."""
        edit, gather = Edit(revision=self.stand.revision, changes=changes), timedelta(0)
        async with self.house.database.transaction() as session:
            now, seals = self.house.clock(), self.house.activities.seals
            row = await store.edit(
                session, self.stand.id, world.person(by), edit, fresh(), now, gather=gather, seals=seals
            )
            return row.revision

    @rule(data=some.data())
    def tell_again(self, data: Any) -> None:
        """Whoever tells an order again hears what he heard; a refused one may be lawful by now, and is not told."""
        heard = [each for each in self.stand.orders if not isinstance(each[1], str)]
        if heard:
            record, answer = data.draw(some.sampled_from(heard))
            assert self.wait(self.house.activities.record(record)).answer == answer

    @rule(hours=some.sampled_from([1, 30]))
    def later(self, hours: int) -> None:
        self.house.clock.forward(hours=hours)

    @invariant()
    def nothing_else_was_written(self) -> None:
        row = self.wait(self.house.row(self.stand.id))
        assert (row.status, row.revision) == (self.stand.status, self.stand.revision)
        lines = self.wait(self.house.journal(self.stand.id))
        assert len(lines) == row.journal_length == self.stand.lines
        assert bool(row.number) == (self.stand.status is not Status.DRAFT and row.submitted)
        assert [each.seq for each in lines] == list(range(1, len(lines) + 1))
        assert sum(each.seal is not None for each in lines) == self.stand.seals

    def teardown(self) -> None:
        if hasattr(self, "stand"):
            seals = self.wait(self.house.all("SELECT 1 FROM sealed WHERE certificate_id = :id", id=self.stand.id))
            signed = [each for each in self.stand.orders if each[0].order.action in SIGNATURES]
            assert len(seals) >= len([each for each in signed if not isinstance(each[1], str)])


async def test_any_life_of_a_certificate_is_what_its_rows_say(house: House) -> None:
    came = await played(house, Certificates)
    assert came["done"] > 5
    assert sum(came.values()) - came["done"] > 5
