"""The ways of saying no.

One thing to remember: a refusal is a code that is a row of REFUSALS, with parameters. The words are found at the
edge: `says` is an English sentence that tells what to do, and the key of its translation.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Refusal:
    """One way of saying no: its code, the HTTP status it becomes, and the sentence the reader sees."""

    code: str
    http: int
    says: str


# fmt: off
REFUSALS: Final = (
    # code, HTTP status, and beneath them what is said
    # what was sent cannot be understood
    Refusal("malformed", 400,
        "This request cannot be read. Please send it again as UTF-8 JSON."),
    Refusal("key_missing", 400,
        "Each order needs its own key. Please send the header Idempotency-Key with a fresh UUID."),
    Refusal("too_large", 413,
        "This request is too large. Please send less at a time."),
    Refusal("file_too_large", 413,
        "This file is larger than {megabytes} MB. Please make it smaller, or split it."),
    Refusal("file_kind", 415,
        "Only PDF, JPEG, PNG and XML files can be kept here. Please save the document as one of these."),
    Refusal("file_empty", 422,
        "Nothing came with this file. Please choose it again."),
    Refusal("file_damaged", 422,
        "This file cannot be read to its end. Please open it, save it again and send it once more."),
    Refusal("file_entities", 422,
        "This XML file defines entities, which are not followed here. Please send it without them."),
    Refusal("sheet_kind", 415,
        "This is no sheet that can be read. Please save it as CSV or XLSX, or copy its cells and paste them."),
    Refusal("sheet_wrong", 422,
        "Nothing was taken over: {number} cells need correcting. Please correct them and send the sheet again."),
    Refusal("sps_kind", 415,
        "This is no XML file. Please choose an SPS certificate (UN/CEFACT, version 17)."),
    Refusal("sps_wrong", 422,
        "Nothing was taken over. Places of this SPS certificate to correct: {number}. Please send it again then."),
    Refusal("unsupported", 415,
        "This kind of content is not understood here. Please send JSON."),
    Refusal("method_not_allowed", 405,
        "This address does not do that. Please look into the description of the interface."),
    # who asks
    Refusal("unauthenticated", 401,
        "Please sign in first."),
    Refusal("session_ended", 401,
        "Your session has ended. Please sign in again."),
    Refusal("bad_credentials", 401,
        "E-mail address and password do not match. Please try again or ask for a new password."),
    Refusal("proof_needed", 401,
        "Please prove once more that it is you before you sign."),
    Refusal("second_factor_needed", 401,
        "Please show your second factor as well: a code of your authenticator app, or your passkey."),
    Refusal("wrong_code", 401,
        "This code or passkey is not right. Please try the next one your authenticator app shows."),
    Refusal("account_blocked", 403,
        "This account is blocked. Please ask for a new password."),
    Refusal("demo_only", 403,
        "Demonstration accounts can sign in on a demonstration system only. Please use your own account."),
    Refusal("choose_organisation", 400,
        "You act for several organisations. Please choose the one you act for now."),
    Refusal("no_role", 403,
        "You do not act for any organisation yet. Please ask for a role first."),
    Refusal("untrusted_form", 403,
        "This form is too old or came from another page. Please reload the page and try again."),
    Refusal("too_many_attempts", 429,
        "Too many attempts. Please wait a little and try again."),
    Refusal("link_expired", 410,
        "This link has expired. Please ask for a new one."),
    Refusal("unknown_tool", 400,
        "Nobody vouches for the page that sent you here, so you stay. Please tell whoever runs that tool."),
    # what is asked
    Refusal("not_found", 404,
        "There is nothing here, or nothing you may see. Please check the address, or ask who sent it to you."),
    Refusal("not_permitted", 403,
        "Your organisation may not do this here. Please ask the organisation whose turn it is."),
    Refusal("not_in_scope", 403,
        "This token does not open this door. Please use one with the permission its description names, if any."),
    Refusal("unknown_action", 422,
        "There is no such action. Please choose one of those the certificate offers you."),
    Refusal("invalid", 422,
        "Something in this request is not right. Please correct what is marked and send it again."),
    Refusal("incomplete", 422,
        "Something is still missing or not right. Please correct what is marked and try again."),
    Refusal("no_certificate_needed", 422,
        "Organic goods from {country} need no certificate of inspection. Please correct the country or drop it."),
    Refusal("key_reused", 422,
        "This key was used for another order. Please send the new order with a key of its own."),
    # when it is asked
    Refusal("wrong_status", 409,
        "The certificate is not in a status that allows this. Please reload the page to see what it awaits."),
    Refusal("stale_revision", 409,
        "What you see was changed since you opened it. Please read what changed, then try again."),
    Refusal("frozen", 409,
        "The certificate of this extract is not open for extracts at the moment. Please ask its border authority."),
    Refusal("document_covered", 409,
        "A signature covers this document. It stays as it is; please add a new version beside it."),
    Refusal("not_offered_yet", 409,
        "This step is lawful but has no form here yet. Please contact the border authority or the support."),
    Refusal("already_exists", 409,
        "This exists already. Please open the one that is there."),
    # what awaits somebody's decision
    Refusal("already_decided", 409,
        "This was decided meanwhile. Please reload the page to see who decided what, and when."),
    Refusal("own_request", 403,
        "Nobody decides about himself. Please leave this to somebody else who may decide it."),
    Refusal("operator_first", 409,
        "An operator must be valid before its people. Please validate the operator first."),
    Refusal("one_role_type", 409,
        "You have roles of another kind already, and one person has one kind. Please give those up first."),
    Refusal("look_alikes", 409,
        "There are organisations like this one. Please look at them, then say that yours is another one."),
    # not the asker's fault
    Refusal("file_altered", 500,
        "This file is no longer the one that was kept: its fingerprint differs. Please tell the support."),
    Refusal("internal", 500,
        "Something went wrong on our side. Nothing was changed; please try again or tell the support."),
    Refusal("unavailable", 503,
        "A part of the system is not available at the moment. Nothing was changed; please try again in a minute."),
    Refusal("timeout", 504,
        "The answer takes long. Your order may still be carried out: please look again before you repeat it."),
)
# fmt: on

CODES: Final = {row.code: row.http for row in REFUSALS}
"""Code -> HTTP status, for every way of saying no."""


class Refused(Exception):
    """No, and why: a code of REFUSALS with its parameters."""

    def __init__(self, code: str, **details: object) -> None:
        if code not in CODES:
            raise ValueError(f"{code!r} is not a row of REFUSALS")
        super().__init__(code)
        self.code = code
        self.details = details

    @property
    def http(self) -> int:
        """The HTTP status this refusal becomes."""
        return CODES[self.code]

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.code, self.details)


def _again(code: str, details: dict[str, object]) -> Refused:
    """The same refusal on the other side of a border."""
    return Refused(code, **details)
