"""Taking a request on, and handing it back: by oneself, and at once where one decides no more."""

from services.directory import demo
from tests.services.directory.conftest import JSON, House, Somebody
from tests.services.directory.test_proposals import ECOCERT_FR, company
from tests.services.directory.test_roles import ask

BODY = "CONTROL_BODY"


async def waiting(house: House) -> tuple[Somebody, Somebody, Somebody, JSON, JSON]:
    """Two colleagues of a body that is asked first, an applicant, his request, and the operator he proposes."""
    house.around.database.told |= {"by_control_body": frozenset({"FR"})}
    chief = house.person("mathilde-soule", "ecocert-fr", BODY, True)
    _, role = await ask(house, "ecocert-fr", "noemie-vidal")
    await chief.steps_well(role, "validate")
    colleague = house.person("noemie-vidal", "ecocert-fr", BODY)
    applicant = house.person("jeanne-martin")
    made = await applicant.does("POST", "/organisations", company())
    return chief, colleague, applicant, await seen(colleague, made), made


async def seen(somebody: Somebody, made: JSON) -> JSON:
    """The request as somebody sees it."""
    return (await somebody.gets(f"/role-requests/{made['role_id']}"))["role"]


async def test_what_one_has_taken_on_is_shown_to_the_others_and_back_when_he_is_suspended(house: House) -> None:
    chief, colleague, applicant, request, made = await waiting(house)
    assert {"claim"} == {"claim", "release"} & set(request["may"])
    taken = await colleague.steps_well(request, "claim")
    assert (taken["claim"]["person"], taken["claim"]["organisation"]["id"]) == ("Noemie Vidal", ECOCERT_FR)
    proposed = {"action": "claim", "revision": 1}
    assert (await colleague.does("POST", f"/proposals/{made['proposal_id']}/steps", proposed))["claim"]["person"]
    (listed,) = (await chief.gets("/role-requests"))["items"]
    assert listed["claim"]["person"] == "Noemie Vidal"
    assert (await chief.steps(listed, "release")).json()["code"] == "not_permitted", "it is not his to hand back"
    assert (await seen(applicant, made))["claim"]["organisation"]["id"] == ECOCERT_FR, "the applicant sees who holds it"
    assert (await applicant.steps(request, "claim")).json()["code"] in ("own_request", "stale_revision")

    people = await chief.gets(f"/organisations/{ECOCERT_FR}/people")
    hers = next(each for each in people if each["person_id"] == colleague.id)
    await chief.steps_well(hers, "suspend", "On leave.")
    back = await seen(chief, made)
    assert (back["claim"], back["lines"][-1]["action"]) == (None, "handed_back")
    assert (await chief.gets(f"/proposals/{made['proposal_id']}"))["claim"] is None
    assert (await colleague.asks("GET", f"/role-requests/{made['role_id']}")).status_code == 404


async def test_a_claim_is_taken_over_handed_back_and_ends_with_the_decision(house: House) -> None:
    chief, colleague, _, request, made = await waiting(house)
    mine = await colleague.steps_well(request, "claim")
    theirs = await chief.steps_well(await seen(chief, made), "claim")
    assert theirs["claim"]["person"] == "Mathilde Soule", "whoever is away holds nothing up"
    assert (await colleague.steps(mine, "validate")).json()["code"] == "stale_revision", "nobody decides unseeing"
    assert (await chief.steps_well(theirs, "release"))["claim"] is None
    again = await colleague.steps_well(await seen(colleague, made), "claim")
    refused = await chief.steps_well(again, "refuse", "Unknown to us.")
    assert (refused["status"], refused["claim"]) == ("REFUSED", None)
    assert await house.all("SELECT 1 FROM role WHERE claimed_by IS NOT NULL") == []


async def test_a_body_that_decides_no_more_holds_nothing(house: House) -> None:
    _, colleague, applicant, request, made = await waiting(house)
    await colleague.steps_well(request, "claim")
    inao = house.person("paul-renaud", "inao", "AUTHORITY", True)
    path = f"/organisations/{ECOCERT_FR}"
    revision = (await inao.gets(f"{path}/may"))["revision"]
    closing = {"action": "suspend", "revision": revision, "form": {"reason": "Its accreditation ended."}}
    await inao.does("POST", f"{path}/steps", closing)
    assert (await house.around.processes.activities.look_role(made["role_id"])).awaited is not None  # type: ignore[attr-defined]
    assert (await seen(inao, made))["claim"] is None
    assert demo.organisation_id("inao") in {each["id"] for each in (await seen(applicant, made))["awaits"]}
