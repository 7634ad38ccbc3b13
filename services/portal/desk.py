"""What the directory may be asked about roles, proposals and records, each with the type of its answer."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, TypeAdapter

from services.portal.clients import Caller, DirectoryClient, segment
from shared.contracts.directory import (
    DecisionResult,
    Decisions,
    NewRoles,
    ProposalPage,
    ProposalView,
    RoleRequestPage,
    RoleRequestView,
    Sides,
    StepWish,
)
from shared.contracts.organisations import (
    Creatable,
    Created,
    Evidence,
    HistoryView,
    LookAlike,
    NewOrganisation,
    OrganisationEdit,
    OrganisationMay,
    PublicPage,
)

_ROLES = TypeAdapter(list[RoleRequestView])
_RESULTS = TypeAdapter(list[DecisionResult])
_ALIKE = TypeAdapter(list[LookAlike])


class Desk:
    """The directory's desk, asked on somebody's behalf."""

    def __init__(self, directory: DirectoryClient, caller: Caller | None) -> None:
        self._directory, self._caller = directory, caller

    async def _get(self, path: str, **wishes: Any) -> bytes:
        return await self._directory.ask(self._caller, "GET", path, **wishes)

    async def _post(self, path: str, body: BaseModel, key: str, method: str = "POST") -> bytes:
        return await self._directory.ask(self._caller, method, path, body, key)

    async def my_roles(self) -> list[RoleRequestView]:
        """All roles and requests of the person asking."""
        return _ROLES.validate_json(await self._get("/people/me/role-requests"))

    async def request(self, new: NewRoles, key: str) -> list[RoleRequestView]:
        """Ask for roles."""
        return _ROLES.validate_json(await self._post("/role-requests", new, key))

    async def waiting(self, **wishes: Any) -> RoleRequestPage:
        """What the organisation one acts for is to decide."""
        return RoleRequestPage.model_validate_json(await self._get("/role-requests", **wishes))

    async def sides(self, role_id: str) -> Sides:
        """One request with everything needed to decide it."""
        return Sides.model_validate_json(await self._get(f"/role-requests/{segment(role_id)}"))

    async def step(self, role_id: str, wish: StepWish, key: str) -> RoleRequestView:
        """One step about a role."""
        said = await self._post(f"/role-requests/{segment(role_id)}/steps", wish, key)
        return RoleRequestView.model_validate_json(said)

    async def decide(self, wish: Decisions, key: str) -> list[DecisionResult]:
        """The same decision on several requests."""
        return _RESULTS.validate_json(await self._post("/role-requests/decisions", wish, key))

    async def proposals(self, **wishes: Any) -> ProposalPage:
        """The proposals the organisation one acts for is to decide."""
        return ProposalPage.model_validate_json(await self._get("/proposals", **wishes))

    async def proposal(self, proposal_id: str) -> ProposalView:
        """One proposal."""
        return ProposalView.model_validate_json(await self._get(f"/proposals/{segment(proposal_id)}"))

    async def evidence(self, proposal_id: str) -> Evidence:
        """The proof of certification of a proposal, with its file."""
        return Evidence.model_validate_json(await self._get(f"/proposals/{segment(proposal_id)}/evidence"))

    async def propose_step(self, proposal_id: str, wish: StepWish, key: str) -> ProposalView:
        """One step about a proposal."""
        said = await self._post(f"/proposals/{segment(proposal_id)}/steps", wish, key)
        return ProposalView.model_validate_json(said)

    async def look_alikes(self, new: NewOrganisation, key: str) -> list[LookAlike]:
        """Organisations that may be the same."""
        return _ALIKE.validate_json(await self._post("/organisations/look-alikes", new, key))

    async def create(self, new: NewOrganisation, key: str) -> Created:
        """A new organisation."""
        return Created.model_validate_json(await self._post("/organisations", new, key))

    async def creatable(self) -> Creatable:
        """What the person asking may create, valid at once."""
        return Creatable.model_validate_json(await self._get("/organisations/creatable"))

    async def may(self, organisation_id: str) -> OrganisationMay:
        """What the person asking may do with a record."""
        said = await self._get(f"/organisations/{segment(organisation_id)}/may")
        return OrganisationMay.model_validate_json(said)

    async def edit(self, organisation_id: str, wish: OrganisationEdit, key: str) -> OrganisationMay:
        """Change a record, or propose to."""
        said = await self._post(f"/organisations/{segment(organisation_id)}", wish, key, "PUT")
        return OrganisationMay.model_validate_json(said)

    async def standing(self, organisation_id: str, wish: StepWish, key: str) -> OrganisationMay:
        """Suspend, reinstate, close or merge."""
        said = await self._post(f"/organisations/{segment(organisation_id)}/steps", wish, key)
        return OrganisationMay.model_validate_json(said)

    async def history(self, organisation_id: str, at: datetime | None = None) -> HistoryView:
        """Every change of a record, and the record as it stood at a moment."""
        wishes = {"at": at.isoformat()} if at else {}
        return HistoryView.model_validate_json(
            await self._get(f"/organisations/{segment(organisation_id)}/history", **wishes)
        )

    async def people(self, organisation_id: str) -> list[RoleRequestView]:
        """The people of an organisation."""
        return _ROLES.validate_json(await self._get(f"/organisations/{segment(organisation_id)}/people"))

    async def public(self, **wishes: Any) -> PublicPage:
        """The public directory."""
        return PublicPage.model_validate_json(await self._get("/public/organisations", **wishes))
