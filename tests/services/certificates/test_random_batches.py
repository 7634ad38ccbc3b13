"""Random batches: one certificate cut by many at once, against the real paper and PostgreSQL.

One thing to remember: the machine keeps its own ledger of every line, in packages and in weight. What the paper has
booked is that ledger after every step; nothing is refused that would have found room, and nothing that was refused
leaves a trace.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as some
from hypothesis.stateful import initialize, invariant, rule

from services.certificates import customs, extracts, store, verify
from shared.contracts.machines import LineWriteOff, NewWriteOff
from shared.rules.extracts import ExtractStatus
from shared.rules.refusals import Refused
from tests.services.certificates.batches import base, begun, move, ordered, told
from tests.services.certificates.conftest import House, fresh
from tests.services.certificates.test_after_signature import NOTICE
from tests.services.certificates.test_random_lives import QUICK, Steps, played
from tests.services.certificates.world import CONSIGNEE, CUSTOMS, FORWARDER, IMPORTER, POST, line, person

_S = ExtractStatus
COUNTED = frozenset(ExtractStatus) - {_S.NEW, _S.DELETED}
RELEASED = frozenset({_S.VERIFIED, _S.CONSIGNEE_SIGNED})
AS_BEFORE = {"decision": "as_before", "conclusion": "unfounded"}
# fmt: off
STEPS = {
    ("submit",                _S.NEW):              (IMPORTER,  _S.SUBMITTED),
    ("delete",                _S.NEW):              (IMPORTER,  _S.DELETED),
    ("delete",                _S.SUBMITTED):        (IMPORTER,  _S.DELETED),
    ("verify",                _S.SUBMITTED):        (POST,      _S.VERIFIED),
    ("reject",                _S.SUBMITTED):        (POST,      _S.NOT_RELEASED),
    ("release_conventional",  _S.SUBMITTED):        (POST,      _S.CONVENTIONAL),
    ("receive",               _S.VERIFIED):         (CONSIGNEE, _S.CONSIGNEE_SIGNED),
    ("signal_irregularity",   _S.VERIFIED):         (POST,      _S.OFIS),
    ("signal_irregularity",   _S.CONSIGNEE_SIGNED): (POST,      _S.OFIS),
}
# fmt: on
UNFROZEN = "signal_irregularity"
"""May be said of a batch though its certificate is frozen."""
ORDERS = ("submit", "submit", *sorted({action for action, _ in STEPS}))
WHOLE = {"1": (100, Decimal(1000)), "2": (None, Decimal(500))}
"""Line -> what the certificate has of it: packages and weight, or goods in bulk, counted by weight alone."""
PICK = some.integers(0, 9999)
"""Which of several; drawn before anybody looks how many there are, so that a race changes no draw."""
Take = dict[str, tuple[int | None, Decimal]]
WEIGHT = some.decimals("0.001", "200", places=3)
PACKED = some.tuples(some.integers(1, 20), WEIGHT)
LOOSE = some.tuples(some.none(), WEIGHT)
TAKE: some.SearchStrategy[Take] = some.one_of(
    some.fixed_dictionaries({"1": PACKED}),
    some.fixed_dictionaries({"2": LOOSE}),
    some.fixed_dictionaries({"1": PACKED, "2": LOOSE}),
)


@dataclass(frozen=True)
class Stand:
    """Where an extract must stand, and what it takes."""

    take: Take
    status: ExtractStatus = _S.NEW
    off: Decimal = Decimal(0)
    """What declarations took of its first line."""


def lines_of(take: Take) -> list[dict[str, Any]]:
    """The lines of a batch that takes so much."""
    return [{"id": name, "packages": count, "net_weight": f"{kg:f}"} for name, (count, kg) in take.items()]


def one_of(several: list[str], pick: int) -> str:
    """The one that was picked, in the order in which they came to be."""
    return several[pick % len(several)]


async def outcomes(works: list[Coroutine[Any, Any, Any]]) -> list[Any]:
    """What each of several at once came to: its answer, or its refusal."""
    return await asyncio.gather(*works, return_exceptions=True)


class Batches(Steps):
    """One certificate of two lines, cut by twenty importers at once."""

    @initialize()
    def opened(self) -> None:
        loose = line(2, packages=None, package_type="VR", net_weight="500.000")
        wide = {"product_lines": [line(), loose], "gross_weight": {"value": "1600", "unit": "KGM"}}
        self.parent = self.wait(base(self.house, **wide))
        self.stands: dict[str, Stand] = {}
        self.booked_lines = 0
        self.frozen = False

    def taken(self, name: str) -> tuple[int, Decimal]:
        """Packages and weight of a line that are booked."""
        counted = [each.take[name] for each in self.stands.values() if each.status in COUNTED and name in each.take]
        return sum(count or 0 for count, _ in counted), sum((kg for _, kg in counted), Decimal(0))

    def room(self, take: Take) -> bool:
        """Whether so much is left."""
        for name, (count, kg) in take.items():
            (packages, weight), (most, heaviest) = self.taken(name), WHOLE[name]
            if weight + kg > heaviest or (most is not None and packages + (count or 0) > most):
                return False
        return True

    def moved(self, extract: str, target: ExtractStatus) -> None:
        """It has moved; booked or given back, the certificate has a line of it."""
        before = self.stands[extract]
        self.booked_lines += (before.status in COUNTED) != (target in COUNTED)
        self.stands[extract] = replace(before, status=target)

    def came_to(self, said: Any) -> bool:
        """Whether it was carried out; a refusal is counted, and anything else is a fault."""
        assert isinstance(said, Refused) or not isinstance(said, BaseException), said
        self.came[said.code if isinstance(said, Refused) else "done"] += 1
        return not isinstance(said, Refused)

    @rule(take=TAKE)
    def begin(self, take: Take) -> None:
        said = self.told(begun(self.house, self.parent, product_lines=lines_of(take)))
        if self.frozen or all(self.taken(name)[1] == kg for name, (_, kg) in WHOLE.items()):
            assert said in {"wrong_status", "incomplete"}
        else:
            self.stands[said] = Stand(take)

    @rule(takes=some.lists(TAKE, min_size=20, max_size=20))
    def twenty_at_once(self, takes: list[Take]) -> None:
        """Begun one after the other, submitted at once, each twice: what is refused would not have found room."""
        if self.frozen or len(self.stands) > 20 or not self.room({"1": (20, Decimal(200)), "2": (None, Decimal(200))}):
            return

        async def crowd() -> list[tuple[str, Any, Any]]:
            ids = [await begun(self.house, self.parent, product_lines=lines_of(take)) for take in takes]
            whose = [IMPORTER if n % 2 else FORWARDER for n in range(len(ids))]
            orders = [await ordered(self.house, each, "submit", by) for each, by in zip(ids, whose, strict=True)]
            each_once = [(extract, order, fresh()) for extract, order in zip(ids, orders, strict=True)]
            said = await outcomes([told(self.house, *each) for each in each_once for _ in range(2)])
            return list(zip(ids, said[::2], said[1::2], strict=True))

        refused = []
        for (extract, said, again), take in zip(self.wait(crowd()), takes, strict=True):
            self.stands[extract] = Stand(take)
            done = self.came_to(said)
            assert self.came_to(again) is done
            if done:
                assert said.answer == again.answer
                self.moved(extract, _S.SUBMITTED)
            else:
                assert said.code == again.code == "incomplete"
                refused.append(take)
        assert not any(self.room(each) for each in refused)

    @rule(pick=PICK, action=some.sampled_from(ORDERS))
    def order(self, pick: int, action: str) -> None:
        if not self.stands:
            return
        extract = one_of(list(self.stands), pick)
        stand = self.stands[extract]
        step = STEPS.get((action, stand.status))
        by = step[0] if step else IMPORTER
        said = self.told(move(self.house, extract, action, by))
        frozen = self.frozen and action != UNFROZEN
        full = action == "submit" and not self.room(stand.take)
        if isinstance(said, str):
            assert step is None or frozen or full, (action, stand, said)
            assert not (full and step and not frozen) or said == "incomplete"
        else:
            assert step is not None
            assert not frozen
            assert not full
            self.moved(extract, step[1])

    @rule(picks=some.lists(PICK, min_size=6, max_size=6))
    def many_hands(self, picks: list[int]) -> None:
        """Several batches at once, each by whoever may move it: quantities come back while others are booked."""
        lawful = {
            extract: [action for action, status in STEPS if status is stand.status]
            for extract, stand in self.stands.items()
        }
        able = [extract for extract, actions in lawful.items() if actions]
        if self.frozen or len(able) < 2:
            return
        chosen = {one_of(able, each): each for each in picks}
        acts = [(extract, one_of(lawful[extract], pick)) for extract, pick in chosen.items()]
        steps = [STEPS[action, self.stands[extract].status] for extract, action in acts]
        moves = [move(self.house, *act, by) for act, (by, _) in zip(acts, steps, strict=True)]
        said = self.wait(outcomes(moves))
        before, refused = dict(self.stands), []
        for (extract, action), (_, target), each in zip(acts, steps, said, strict=True):
            if self.came_to(each):
                self.moved(extract, target)
            else:
                assert (each.code, action) == ("incomplete", "submit")
                refused.append(before[extract].take)
        given_back = {each for each, action in acts if action == "delete"}
        after, self.stands = self.stands, {**self.stands, **{each: before[each] for each in given_back}}
        assert not any(self.room(each) for each in refused)  # as full as it was at most, before anything came back
        self.stands = after

    @rule(pick=PICK, weights=some.lists(WEIGHT, min_size=3, max_size=3))
    def customs_take(self, pick: int, weights: list[Decimal]) -> None:
        """Three declarations at once on one released batch: never more than it has."""
        released = [each for each, stand in self.stands.items() if stand.status in RELEASED]
        if self.frozen or not released:
            return
        extract = one_of(released, pick)
        stand = self.stands[extract]
        name = sorted(stand.take)[0]

        async def declared(kg: Decimal) -> Any:
            async with self.house.database.transaction() as session:
                number = (await extracts.found(session, extract)).number
                wish = NewWriteOff(declaration="D", lines=[LineWriteOff(line=name, net_weight=kg)])
                return await customs.write_off(session, number, person(CUSTOMS), wish, fresh(), self.house.clock())

        off, refused = stand.off, []
        for kg, said in zip(weights, self.wait(outcomes([declared(each) for each in weights])), strict=True):
            if self.came_to(said):
                off += kg
            else:
                refused.append(kg)
        most = stand.take[name][1]
        assert off <= most
        assert not any(off + kg <= most for kg in refused)
        self.stands[extract] = replace(stand, off=off)

    @rule()
    def irregularity(self) -> None:
        if self.frozen:
            self.wait(self.house.move(self.parent, "conclude_irregularity", POST, form=AS_BEFORE))
        elif len(self.stands) > 2:
            self.wait(self.house.move(self.parent, "signal_irregularity", POST, form=NOTICE))
        else:
            return
        self.frozen = not self.frozen

    @invariant()
    def never_more_than_there_is(self) -> None:
        async def seen() -> tuple[Any, Any]:
            async with self.house.database.transaction() as session:
                return await store.found(session, self.parent), await extracts.of(session, self.parent)

        if not hasattr(self, "parent"):
            return
        row, rows = self.wait(seen())
        for name, (most, heaviest) in WHOLE.items():
            packages, weight = self.taken(name)
            assert weight <= heaviest
            assert most is None or packages <= most
            booked = row.booked.get(name) or {"packages": 0, "net_weight": "0"}
            assert ((booked["packages"] or 0), Decimal(booked["net_weight"])) == (packages, weight)
        assert {each.id: each.status for each in rows} == {key: each.status for key, each in self.stands.items()}
        written = self.wait(
            self.house.one(
                "SELECT count(*) FROM journal WHERE certificate_id = :id AND action LIKE '%_extract'", id=self.parent
            )
        )
        assert written == self.booked_lines

    def teardown(self) -> None:
        if hasattr(self, "parent"):
            exported = self.wait(self.house.get(IMPORTER, f"/certificates/{self.parent}/journal/export"))
            assert verify.check(exported) == []


async def test_any_lives_of_its_extracts_never_take_more_than_there_is(house: House) -> None:
    came = await played(house, Batches, settings(QUICK, max_examples=6, stateful_step_count=14))
    assert came["done"] > 5
    assert came["incomplete"] > 0
