"""What is printed beside the words of the law: watermarks, statuses, choices, declarations, and the sheet's own words.

One thing to remember: the English sentence is the message id of ``print/<language>.po``; a test compares both.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.rules.extracts import ExtractStatus
from shared.rules.status import Action, Status

_S, _E, _A = Status, ExtractStatus, Action

# fmt: off
WATERMARKS: Final = {
    _S.DRAFT:                 "DRAFT",
    _S.DESCRIPTION_COMPLETED: "NOT ISSUED",
    _S.NOT_RELEASED:          "NOT RELEASED",
    _S.DELETED:               "DELETED",
    _S.REPLACED:              "REPLACED",
    _E.NEW:                   "DRAFT",
    _E.SUBMITTED:             "NOT ENDORSED",
    _E.NOT_RELEASED:          "NOT RELEASED",
    _E.DELETED:               "DELETED",
}
"""What is written across a copy that is no certificate yet, or no longer."""
STATUSES: Final = {
    _S.DRAFT:                  "Draft",
    _S.DESCRIPTION_COMPLETED:  "Description completed",
    _S.ISSUED:                 "Issuing body's declaration signed",
    _S.CONSIGNMENT_VERIFIED:   "Consignment verified",
    _S.FIRST_CONSIGNEE_SIGNED: "First consignee's declaration signed",
    _S.BASE_FOR_EXTRACT:       "Base for extract",
    _S.RELEASED_CONVENTIONAL:  "Released as a conventional product",
    _S.NOT_RELEASED:           "Not released",
    _S.OFIS_IRREGULARITY:      "OFIS irregularity",
    _S.DELETED:                "Deleted",
    _S.REPLACED:               "Replaced",
    _S.DEPLETED:               "Depleted",
    _E.NEW:                    "New",
    _E.SUBMITTED:              "Submitted for endorsement",
    _E.VERIFIED:               "Batch verified",
    _E.CONSIGNEE_SIGNED:       "Consignee's declaration signed",
    _E.CONVENTIONAL:           "Released as a conventional product",
    _E.NOT_RELEASED:           "Not released",
    _E.DELETED:                "Deleted",
    _E.OFIS:                   "OFIS irregularity",
}
CHOICES: Final = {
    "acceptable":        "acceptable",
    "not_acceptable":    "not acceptable",
    "not_done":          "not done",
    "pending":           "result pending",
    "organic":           "organic",
    "in_conversion":     "in conversion",
    "warehousing":       "customs warehousing",
    "inward_processing": "inward processing",
}
PROCEDURES: Final = {
    "COMPLIANCE":               "Compliance",
    "EQUIVALENT_THIRD_COUNTRY": "Equivalent third country",
    "EQUIVALENT_CONTROL_BODY":  "Equivalent control body",
    "TRADE_AGREEMENT":          "Trade agreement",
}
DECLARATIONS: Final = {
    _A.SIGN:
        "I declare, for the issuing body named in box 1, that I have examined this consignment's papers and what they "
        "rest on, and that the products described here were produced, prepared and controlled under the procedure "
        "named in box 2.",
    _A.VERIFY:
        "I declare, for the competent authority, that this consignment was verified as stated here, and that it may be "
        "released for free circulation as organic.",
    _A.OPEN_BATCHES:
        "I declare, for the competent authority, that this consignment was verified as stated here, and that it may be "
        "released for free circulation in batches, each with an extract.",
    _A.RELEASE_CONVENTIONAL:
        "I declare, for the competent authority, that this consignment may be released for free circulation only "
        "without any reference to organic production.",
    _A.REJECT:
        "I declare, for the competent authority, that this consignment is not released for free circulation.",
    _A.RECEIVE:
        "I declare, for the first consignee, that on reception the packaging or container and, where needed, the "
        "certificate of inspection were checked, with the result stated here.",
}
"""What the signer of a box declared; our own wording, as on the screen."""
BATCH_DECLARATIONS: Final = {
    _A.VERIFY:
        "I declare, for the competent authority, that this batch was verified, and that it may be released for free "
        "circulation as organic.",
    _A.RELEASE_CONVENTIONAL:
        "I declare, for the competent authority, that this batch may be released for free circulation only without any "
        "reference to organic production.",
    _A.REJECT:
        "I declare, for the competent authority, that this batch is not released for free circulation.",
    _A.RECEIVE:
        "I declare, for the consignee of this batch, that on reception the packaging or container and, where needed, "
        "the certificate were checked, with the result stated here.",
}
"""The same under the boxes of an extract."""
WORDS: Final = {
    "title":        "Certificate of inspection for import of organic products into the European Union",
    "title_batch":  "Extract of a certificate of inspection for import of organic products into the European Union",
    "draft":        "Draft without a number",
    "form_21":      "Form with 21 boxes, Regulation (EC) No 1235/2008",
    "form_31":      "Form with 31 boxes, Delegated Regulation (EU) 2021/2306",
    "form_14":      "Form with 14 boxes, Regulation (EC) No 1235/2008",
    "form_13":      "Form with 13 boxes, Implementing Regulation (EU) 2021/2307",
    "revision":     "Revision",
    "as_of":        "As of",
    "code":         "Verification code",
    "qr":           "Square code that leads to the page where this copy is checked",
    "qr_signed":    "Square code with a signed statement, for checks without network",
    "not_signed":   "Not signed yet.",
    "not_used":     "Not used here yet.",
    "total_net":    "Total net weight",
    "trade_name":   "Trade name and lot",
    "packages":     "Packages",
    "batch_net":    "Net weight of the batch",
    "original_net": "Of the original consignment",
    "over":         "over revision {revision}",
    "later":        "Changed on {at}, after the issuing body had signed",
    "reference":    "Customs reference written on {at}, after the authority had signed",
    "replaces":     "Replaces {number}",
    "replaced_by":  "Replaced by {number}",
    "extract_of":   "Extract of {number}",
    "check":        "Checking this copy",
    "check_how":    "Read the first square code with a telephone, or open {address} and give number and code. The page "
                    "says what the certificate's status is now and whether this copy is of its current revision.",
    "check_offline": "The second square code carries number, revision and status, signed with the key of {by} "
                    "({key}). It is checked without network against the published signing keys.",
    "check_file":   "Attached to this file: the record of this revision, and every document under a signature, byte "
                    "for byte. “bordereau verify” checks them without network.",
    "counts":       "When paper and electronic record differ, only the electronic record counts "
                    "(Regulation (EU) 2020/479).",
    "seal":         "The file bears an electronic seal (advanced) of {by}.",
    "no_seal":      "This copy bears no seal.",
    "fingerprint":  "Fingerprint of the record (SHA-256)",
    "page":         "Page {page} of {pages}",
    "demo":         "Demonstration, without legal effect",
    "yes":          "yes",
    "no":           "no",
}
# fmt: on


def sentences() -> list[str]:
    """Every sentence that is printed beside the words of the law."""
    tables: tuple[Mapping[Any, str], ...] = (
        WATERMARKS, STATUSES, CHOICES, PROCEDURES, DECLARATIONS, BATCH_DECLARATIONS, WORDS,
    )  # fmt: skip
    return list(dict.fromkeys(sentence for table in tables for sentence in table.values()))
