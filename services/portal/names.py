"""What codes are called on the screen: statuses, actions, ties, units, packages, choices.

One thing to remember: the law speaks in codes. Here they get an English name, which is the key of its translation.
Origin of the code lists: UN/ECE Recommendations 19 (modes of transport), 20 (units) and 21 (packages), read 2026-11;
facts, the names are our own short ones.
"""

from dataclasses import dataclass
from typing import Final

from services.portal.words import N_
from shared.rules.documents import DOCUMENT_TYPES
from shared.rules.status import Action, Status


@dataclass(frozen=True)
class StatusName:
    """A status on the screen: its name, and the tone it is shown in."""

    name: str
    tone: str
    stage: int
    """How far along the journey it stands: 0 draft … 4 received."""
    stopped: bool = False
    short: str = ""
    """Its name in a word or two, for lists, where the whole one is longer."""


_S, _N = Status, StatusName

# fmt: off
STATUSES: Final = {
    _S.DRAFT:                  _N(N_("Draft"),                                "grey",   0),
    _S.DESCRIPTION_COMPLETED:  _N(N_("Description completed"),                "blue",   1, False, N_("Submitted")),
    _S.ISSUED:                 _N(N_("Issuing body's declaration signed"),    "violet", 2, False, N_("Issued")),
    _S.CONSIGNMENT_VERIFIED:   _N(N_("Consignment verified"),                 "amber",  3, False, N_("Verified")),
    _S.FIRST_CONSIGNEE_SIGNED: _N(N_("First consignee's declaration signed"), "green",  4, False, N_("Received")),
    _S.BASE_FOR_EXTRACT:       _N(N_("Base for extract"),                     "amber",  3),
    _S.RELEASED_CONVENTIONAL:  _N(N_("Released as a conventional product"),   "red",    3, True, N_("Conventional")),
    _S.NOT_RELEASED:           _N(N_("Not released"),                         "red",    3, True),
    _S.OFIS_IRREGULARITY:      _N(N_("OFIS irregularity"),                    "red",    3, True),
    _S.DELETED:                _N(N_("Deleted"),                              "grey",   0, True),
    _S.REPLACED:               _N(N_("Replaced"),                             "grey",   2, True),
    _S.DEPLETED:               _N(N_("Depleted"),                             "grey",   3),
}
STAGES: Final = (
    N_("Draft"), N_("Submitted"), N_("Issued"), N_("Verified"), N_("Received"),
)
# fmt: on


@dataclass(frozen=True)
class ActionName:
    """An action on the screen: its button, the title of its page, what was done once it is done."""

    button: str
    done: str
    said: str
    tone: str = ""
    declaration: str = ""
    """What the signer declares, where the action signs a box."""


_A = Action

# fmt: off
ACTIONS: Final = {
    _A.SUBMIT: ActionName(
        N_("Submit for certification"), N_("Submitted for certification"),
        N_("The certificate is submitted and has its number. The issuing body has been told.")),
    _A.SIGN: ActionName(
        N_("Sign box %(box)s"), N_("Declaration of the issuing body signed"),
        N_("The declaration of the issuing body is signed."),
        declaration=N_(
            "I declare, for the issuing body named in box 1, that I have examined this consignment's papers and "
            "what they rest on, and that the products described here were produced, prepared and controlled under"
            " the procedure named in box 2."
        )),
    _A.VERIFY: ActionName(
        N_("Release as organic"), N_("Consignment verified"),
        N_("The consignment is verified. The first consignee has been told."),
        declaration=N_(
            "I declare, for the competent authority, that this consignment was verified as stated here, and that "
            "it may be released for free circulation as organic."
        )),
    _A.OPEN_BATCHES: ActionName(
        N_("Release in batches"), N_("Base for extract opened"),
        N_("The certificate is now a base for extract."),
        declaration=N_(
            "I declare, for the competent authority, that this consignment was verified as stated here, and that "
            "it may be released for free circulation in batches, each with an extract."
        )),
    _A.RELEASE_CONVENTIONAL: ActionName(
        N_("Release as conventional"), N_("Released as a conventional product"),
        N_("The consignment is released as a conventional product. Everybody named here has been told."), "danger",
        N_(
            "I declare, for the competent authority, that this consignment may be released for free circulation "
            "only without any reference to organic production."
        )),
    _A.REJECT: ActionName(
        N_("Refuse release"), N_("Release refused"),
        N_("The release is refused. Everybody named here has been told."), "danger",
        N_("I declare, for the competent authority, that this consignment is not released for free circulation.")),
    _A.RECEIVE: ActionName(
        N_("Sign box %(box)s"), N_("Declaration of the first consignee signed"),
        N_("The declaration of the first consignee is signed. The journey of this certificate is over."),
        declaration=N_(
            "I declare, for the first consignee, that on reception the packaging or container and, where needed, "
            "the certificate of inspection were checked, with the result stated here."
        )),
    _A.DELETE: ActionName(
        N_("Delete"), N_("Deleted"), N_("The certificate is deleted. It is kept for the record."), "danger"),
    _A.COPY: ActionName(N_("Copy as new"), N_("Copied"),
        N_("This draft was copied. Please fill in what is new: lots, packages, transport.")),
    _A.REPLACE: ActionName(N_("Replace"), N_("Replacement begun"),
        N_("The replacement is begun: a draft with all the data of this certificate, which is locked meanwhile.")),
    _A.ACCEPT_REPLACEMENT: ActionName(N_("Accept the replacement"), N_("Replacement accepted"),
        N_("The replacement is accepted. The issuing body has been told.")),
    _A.RECORD_CHECKS: ActionName(N_("Note checks in progress"), N_("Checks noted"), N_("The checks are noted.")),
    _A.START_CUSTOMS_PROCEDURE: ActionName(N_("Start a customs procedure"), N_("Customs procedure started"),
        N_("The customs procedure is noted."),
        declaration=N_(
            "I declare, for the competent authority, that these goods are placed under the customs procedure stated "
            "here, and that they are verified again before their release."
        )),
    _A.SIGNAL_IRREGULARITY: ActionName(N_("Signal an irregularity"), N_("Irregularity signalled"),
        N_("The irregularity is signalled."), "danger"),
    _A.REPLY_IRREGULARITY: ActionName(N_("Answer the notice"), N_("Notice of irregularity answered"),
        N_("The answer is given. The authorities have been told.")),
    _A.CONCLUDE_IRREGULARITY: ActionName(N_("Conclude the irregularity"), N_("Irregularity concluded"),
        N_("The irregularity is concluded.")),
    _A.EXTRACT: ActionName(N_("Begin an extract"), N_("Extract begun"), N_("The extract is begun.")),
    _A.DEPLETE: ActionName(N_("Mark as depleted"), N_("Marked as depleted"), N_("The certificate is depleted.")),
    _A.AMEND: ActionName(N_("Edit"), N_("Boxes changed"), N_("Saved.")),
}
EVENTS: Final = {
    **{action.value: name.done for action, name in ACTIONS.items()},
    "create":  N_("Draft begun"),
    "drop_replacement": N_("Replacement given up"),
    "clock":   N_("A deadline passed"),
    "write_off": N_("Customs wrote a quantity off"),
    "document_added": N_("Document added"),
    "document_changed": N_("New version of a document"),
    "document_withdrawn": N_("Document withdrawn"),
    "question_asked": N_("Question asked"),
    "question_answered": N_("Answer to a question"),
    "question_settled": N_("Question settled"),
    "book_extract": N_("Quantity booked for an extract"),
    "return_extract": N_("Quantity of an extract returned"),
    "merge":   N_("Two records of one organisation became one"),
}
"""What a line of the journal says was done."""

AWAITED: Final = {
    #  what a certificate waits for -> the sentence with whose turn it is, and what that one has to do
    "await_submission": (N_("Waits for %(who)s to complete and submit it."),
                         N_("Complete and submit the draft")),
    "await_box_18":     (N_("Waits for %(who)s to check it and sign box %(box)s."),
                         N_("Check and sign box %(box)s")),
    "await_box_20":     (N_("Waits for %(who)s to verify the consignment and sign box %(box)s."),
                         N_("Verify and sign box %(box)s")),
    "await_customs_reference":
                        (N_("Waits for %(who)s to write the customs reference into box %(box)s."),
                         N_("Write the customs reference into box %(box)s")),
    "await_box_21":     (N_("Waits for %(who)s to receive the goods and sign box %(box)s."),
                         N_("Receive the goods and sign box %(box)s")),
    "await_extracts":   (N_("Waits for %(who)s to begin an extract for each batch."),
                         N_("Begin the extracts")),
    "await_conclusion": (N_("Waits for %(who)s: the body replies, the authority concludes."),
                         N_("Settle the irregularity")),
}
SIGNED_NEXT: Final = {
    "await_box_18": "issuing_declaration",
    "await_box_20": "entry_checks",
    "await_box_21": "first_consignee_declaration",
    "await_customs_reference": "customs_procedure",
}
"""The box that is signed or filled when what is waited for is done; its number depends on the form."""
TO_DO: Final = {
    _S.DRAFT: "await_submission", _S.DESCRIPTION_COMPLETED: "await_box_18", _S.ISSUED: "await_box_20",
    _S.CONSIGNMENT_VERIFIED: "await_box_21", _S.BASE_FOR_EXTRACT: "await_extracts",
    _S.OFIS_IRREGULARITY: "await_conclusion",
}
"""What a certificate in this status waits for, where a list says no more than the status."""

CHOICES: Final = {
    "acceptable":      N_("acceptable"),
    "not_acceptable":  N_("not acceptable"),
    "not_done":        N_("not done"),
    "pending":         N_("result pending"),
    "organic":         N_("organic"),
    "in_conversion":   N_("in conversion"),
    "warehousing":     N_("customs warehousing"),
    "inward_processing": N_("inward processing"),
    "as_before":       N_("no irregularity: back to where it stood"),
    "true":            N_("yes"),
    "false":           N_("no"),
    **{status.value: name.name for status, name in STATUSES.items()},
}
PROCEDURES: Final = {
    "COMPLIANCE":               N_("Compliance"),
    "EQUIVALENT_THIRD_COUNTRY": N_("Equivalent third country"),
    "EQUIVALENT_CONTROL_BODY":  N_("Equivalent control body"),
    "TRADE_AGREEMENT":          N_("Trade agreement"),
}
CATEGORIES: Final = {
    "a": N_("Unprocessed plants and plant products"),
    "b": N_("Livestock and unprocessed livestock products"),
    "c": N_("Algae and unprocessed aquaculture products"),
    "d": N_("Processed agricultural products for use as food"),
    "e": N_("Feed"),
    "f": N_("Wine"),
    "g": N_("Other products"),
}
MODES: Final = {
    "1": N_("Sea"), "2": N_("Rail"), "3": N_("Road"), "4": N_("Air"), "5": N_("Mail"), "8": N_("Inland waterway"),
}
UNITS: Final = {
    "KGM": N_("kg"), "TNE": N_("t"), "DTN": N_("100 kg"), "GRM": N_("g"), "LBR": N_("lb"), "LTR": N_("l"),
        "HLT": N_("hl"),
    "MLT": N_("ml"), "MTQ": N_("m³"), "H87": N_("pieces"),
}
PACKAGES: Final = {
    "5M": N_("Bag, paper"), "BG": N_("Bag"), "BL": N_("Bale"), "BA": N_("Barrel"), "BK": N_("Basket"),
        "BO": N_("Bottle"),
    "BX": N_("Box"), "BJ": N_("Bucket"), "CX": N_("Can, cylindrical"), "CT": N_("Carton"), "CS": N_("Case"),
    "CN": N_("Container"), "CR": N_("Crate"), "DR": N_("Drum"), "FX": N_("Flexible bag"),
        "WA": N_("Intermediate bulk container"),
    "JC": N_("Jerrican"), "JR": N_("Jar"), "PK": N_("Package"), "PA": N_("Packet"), "PX": N_("Pallet"),
        "SA": N_("Sack"),
    "TK": N_("Tank"), "TN": N_("Tin"), "TB": N_("Tub"), "NE": N_("Unpacked"), "VA": N_("Vat"),
    "VG": N_("Bulk, gas"), "VQ": N_("Bulk, liquefied gas"), "VL": N_("Bulk, liquid"), "VY": N_("Bulk, fine particles"),
    "VR": N_("Bulk, granules"), "VO": N_("Bulk, nodules"), "VS": N_("Bulk, scrap"),
}
ROLES: Final = {
    "OPERATOR":     N_("Operator"),
    "CONTROL_BODY": N_("Control body"),
    "AUTHORITY":    N_("Authority"),
    "SYS_ADMIN":    N_("Platform administrator"),
    "EC_ADMIN":     N_("Commission"),
}
AUTHORITY_ROLES: Final = {
    "BCP":                 N_("Border control post"),
    "CCA":                 N_("Central competent authority"),
    "CUSTOMS":             N_("Customs office"),
    "NATIONAL_VALIDATING": N_("National validating authority"),
    "EC":                  N_("European Commission"),
}
ACTIVITIES: Final = {
    "ORG_IMPORTER": N_("Organic importer"),
    "ORG_EXPORTER": N_("Organic exporter"),
    "ORG_PRODUCER": N_("Organic producer or preparer"),
    "ORG_OPERATOR": N_("Organic operator"),
    "RFL":          N_("Responsible for the load"),
}
STANDINGS: Final = {
    "NEW":       (N_("requested"), "blue"),
    "VALID":     (N_("valid"),     "green"),
    "SUSPENDED": (N_("suspended"), "amber"),
    "EXPIRED":   (N_("expired"),   "amber"),
    "REJECTED":  (N_("rejected"),  "red"),
    "DELETED":   (N_("deleted"),   "grey"),
}
TIES: Final = {
    "CREATOR":           N_("began this certificate"),
    "IMPORTER":          N_("importer"),
    "EXPORTER":          N_("exporter"),
    "ISSUER":            N_("issuing body"),
    "ENTRY_AUTHORITY":   N_("authority at the point of entry"),
    "CENTRAL_AUTHORITY": N_("central authority"),
    "RFL":               N_("responsible for the load"),
    "CONSIGNEE":         N_("first consignee"),
}
FLAGS: Final = {
    "customs_procedure_open": N_("Customs procedure open"),
    "replacement_pending":    N_("Replacement being written"),
    "completion_overdue":     N_("Still incomplete after the time allowed"),
    "incomplete":             N_("Still to be completed"),
    "prior_notified":         N_("Arrival date given"),
    "checks_in_progress":     N_("Checks in progress"),
    "lab_pending":            N_("Laboratory result pending"),
    "amended_after_issue":    N_("Amended after issue"),
    "legal_hold":             N_("On hold"),
    "departed":               N_("The goods have left"),
    "arrival_late":           N_("Arrival overdue"),
}
CONTACTS: Final = {
    "email": N_("E-mail"), "phone": N_("Phone"), "fax": N_("Fax"), "web": N_("Web site"),
}
SERVICES: Final = {
    "certificates":  N_("Certificates"),
    "notifications": N_("Letters and news"),
    "directory":     N_("Organisations"),
    "identity":      N_("Accounts"),
}
OUTBOX_KINDS: Final = {
    "event": N_("News for the others"), "wake": N_("Calls to processes"),
}
PROCESSES: Final = {
    "CertificateLife":    N_("A certificate, from its draft to its last status"),
    "ExtractLife":        N_("One batch of a certificate released in batches"),
    "AccountCreation":    N_("A registration, until its password is chosen"),
    "AccountValidation":  N_("A classic request for an account, until an authority decides"),
    "AccountLife":        N_("An account, and how long it is not used"),
    "PasswordReset":      N_("A new password, until its link is used or runs out"),
    "DetailsChange":      N_("New details of a person, until the mail is answered"),
    "RoleValidation":     N_("A request for a role, until somebody decides"),
    "OperatorValidation": N_("A request for an operator, until somebody decides"),
    "OperatorLife":       N_("A valid operator, and when its activities end"),
}
"""The kinds of processes, by the name of their workflow."""
ENVIRONMENTS: Final = {
    "production": (N_("Production"), N_("What is signed here counts.")),
    "acceptance": (N_("Acceptance"), N_("New versions are tried here, nothing counts. Roles are asked for anew.")),
    "training":   (N_("Training"),   N_("People learn here, nothing counts. Roles are asked for anew.")),
}
DOCUMENTS: Final = {row.code: row.name for row in DOCUMENT_TYPES}
LETTER_STATES: Final = {
    "WAITING": (N_("waiting"), "amber"),
    "SENT":    (N_("sent"),    "green"),
    "FAILED":  (N_("failed"),  "red"),
    "HELD":     (N_("waits for the morning"), ""),
    "GATHERED": (N_("told in the letter of the day"), "green"),
    "UNWANTED": (N_("not wanted"), ""),
}
LETTER_WORDS: Final = {state: name for state, (name, _tone) in LETTER_STATES.items()}
# fmt: on
