"""The kinds of organisations and what they do, and who validates whom (guides 000, 001, 002 §2).

One thing to remember: nobody has rights by himself. A person acts through a role in an organisation, and that role
was validated by somebody else. The platform's own people never validate.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.rules.countries import UNION


class RoleType(StrEnum):
    """What kind of organisation a person acts for; one person has one kind."""

    OPERATOR = "OPERATOR"
    """Opérateur: importer, exporter, producer, consignee, forwarder."""
    CONTROL_BODY = "CONTROL_BODY"
    """Organisme de contrôle: certifies operators and signs box 18."""
    AUTHORITY = "AUTHORITY"
    """Autorité: border post, central competent authority, customs office, validating authority."""
    SYS_ADMIN = "SYS_ADMIN"
    """Platform administrators: see processes, never content, and validate nobody."""
    EC_ADMIN = "EC_ADMIN"
    """The Commission: validates the first users of authorities."""


class ActivityType(StrEnum):
    """What an operator does in organic trade, as his activity says."""

    ORG_IMPORTER = "ORG_IMPORTER"
    """Importateur biologique; must have an EORI number."""
    ORG_EXPORTER = "ORG_EXPORTER"
    """Exportateur biologique, in a third country."""
    ORG_PRODUCER = "ORG_PRODUCER"
    """Producteur ou dernier transformateur, named line by line in box 13."""
    ORG_OPERATOR = "ORG_OPERATOR"
    """Opérateur biologique: receives goods as first consignee, declares none to customs."""
    RFL = "RFL"
    """Intéressé au chargement: forwarder or customs agent of the importer."""


class AuthorityRole(StrEnum):
    """What an authority does."""

    BCP = "BCP"
    """Poste de contrôle frontalier: signs box 20."""
    CCA = "CCA"
    """Autorité centrale compétente: superior of the border posts of its country."""
    CUSTOMS = "CUSTOMS"
    """Bureau de douane: reads; signs box 20 where the member state says so."""
    NATIONAL_VALIDATING = "NATIONAL_VALIDATING"
    """Validates accounts and operators of its country (in France: INAO)."""
    EC = "EC"
    """The Commission: validates authorities."""


class Competence(StrEnum):
    """What an authority or an activity is about; only ORGANIC concerns certificates of inspection."""

    ORGANIC = "ORGANIC"
    ANIMAL_BY_PRODUCTS = "ANIMAL_BY_PRODUCTS"
    FEED = "FEED"
    FOOD = "FOOD"
    PLANTS = "PLANTS"
    SEMEN_AND_EMBRYO = "SEMEN_AND_EMBRYO"
    TIMBER = "TIMBER"
    VETERINARY = "VETERINARY"


CHAPTERS: Final = ("ORGANIC",)
"""Chapters of operators' activities; within one there are sections (named as competences are), within these activities."""


class StandingStatus(StrEnum):
    """The state of an operator or of one of his activities."""

    NEW = "NEW"
    """Requested, not yet looked at."""
    VALID = "VALID"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    DELETED = "DELETED"


CREATORS: Final = frozenset({ActivityType.ORG_IMPORTER, ActivityType.ORG_EXPORTER})
"""Activities that entitle an operator to start a certificate; a control body always may (guide 002 §1)."""


class Request(StrEnum):
    """What somebody asks to have validated."""

    OPERATOR = "OPERATOR"
    """A new operator, and the first user of any operator."""
    COLLEAGUE = "COLLEAGUE"
    """A further user of an operator that is already valid."""
    CONTROL_BODY_USER = "CONTROL_BODY_USER"
    AUTHORITY_USER = "AUTHORITY_USER"
    CLASSIC_ACCOUNT = "CLASSIC_ACCOUNT"
    """An account of the classic registration form."""


class Territory(StrEnum):
    """Where the operator sits, as far as it changes who validates him."""

    EU_BY_AUTHORITY = "EU_BY_AUTHORITY"
    """A member state whose authority validates operators; the rule where nothing else is set."""
    EU_BY_CONTROL_BODY = "EU_BY_CONTROL_BODY"
    """A member state that leaves it to the operator's control body."""
    THIRD_COUNTRY = "THIRD_COUNTRY"
    ANYWHERE = "ANYWHERE"


class Validator(StrEnum):
    """Who may say yes."""

    NATIONAL_AUTHORITY = "NATIONAL_AUTHORITY"
    CONTROL_BODY = "CONTROL_BODY"
    """The control body named in the operator's activity."""
    OWN_ADMINISTRATOR = "OWN_ADMINISTRATOR"
    """The first validated user of the organisation, or a colleague he made administrator."""
    COMMISSION = "COMMISSION"
    DEPARTMENT = "DEPARTMENT"
    """The competent authority of the department of the establishment."""


@dataclass(frozen=True)
class Validation:
    """One row of "who validates whom": any one of `by` may, the first is asked first."""

    request: Request
    territory: Territory
    by: tuple[Validator, ...]


_R, _T, _V = Request, Territory, Validator

# fmt: off
VALIDATED_BY: Final = (
    #          request               where                   by, in the order they are asked
    Validation(_R.OPERATOR,          _T.EU_BY_AUTHORITY,     (_V.NATIONAL_AUTHORITY,)),
    Validation(_R.OPERATOR,          _T.EU_BY_CONTROL_BODY,  (_V.CONTROL_BODY, _V.NATIONAL_AUTHORITY)),
    Validation(_R.OPERATOR,          _T.THIRD_COUNTRY,       (_V.CONTROL_BODY,)),
    Validation(_R.COLLEAGUE,         _T.EU_BY_CONTROL_BODY,  (_V.OWN_ADMINISTRATOR, _V.CONTROL_BODY, _V.NATIONAL_AUTHORITY)),
    Validation(_R.COLLEAGUE,         _T.THIRD_COUNTRY,       (_V.OWN_ADMINISTRATOR, _V.CONTROL_BODY)),
    Validation(_R.COLLEAGUE,         _T.ANYWHERE,            (_V.OWN_ADMINISTRATOR, _V.NATIONAL_AUTHORITY)),
    Validation(_R.CONTROL_BODY_USER, _T.ANYWHERE,            (_V.OWN_ADMINISTRATOR, _V.NATIONAL_AUTHORITY)),
    Validation(_R.AUTHORITY_USER,    _T.ANYWHERE,            (_V.OWN_ADMINISTRATOR, _V.COMMISSION)),
    Validation(_R.CLASSIC_ACCOUNT,   _T.ANYWHERE,            (_V.DEPARTMENT,)),
)
# fmt: on


BY_CONTROL_BODY: Final[frozenset[str]] = frozenset()
"""Member states that leave the validation of operators to their control bodies; each of the others does it itself."""


def territory_of(country: str, by_control_body: frozenset[str] = BY_CONTROL_BODY) -> Territory:
    """Where an operator of this country sits, as far as it changes who validates him."""
    if country not in UNION:
        return Territory.THIRD_COUNTRY
    return Territory.EU_BY_CONTROL_BODY if country in by_control_body else Territory.EU_BY_AUTHORITY


def request_of(role_type: RoleType, has_administrator: bool) -> Request | None:
    """What a person asks for who wants a role of this type; nothing for platform administrators, who are appointed."""
    if role_type is RoleType.OPERATOR:
        return Request.COLLEAGUE if has_administrator else Request.OPERATOR
    return {
        RoleType.CONTROL_BODY: Request.CONTROL_BODY_USER,
        RoleType.AUTHORITY: Request.AUTHORITY_USER,
        RoleType.EC_ADMIN: Request.AUTHORITY_USER,
    }.get(role_type)


def validators(request: Request, territory: Territory) -> tuple[Validator, ...]:
    """Who may validate such a request from there, in the order they are asked."""
    rows = (row for row in VALIDATED_BY if row.request is request)
    return next((row.by for row in rows if row.territory in (territory, Territory.ANYWHERE)), ())
