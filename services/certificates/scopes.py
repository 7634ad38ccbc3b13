"""The doors that are open to programs, and the scope each asks of an access token. A door that is no row is closed.

One thing to remember: a program never signs. What asks for a person's proof is refused to it by the law itself.
"""

from typing import Final

from shared.contracts.machines import Scope

_R, _D, _A = Scope.READ, Scope.DRAFT, Scope.ACT

# fmt: off
SCOPES: Final = {
    ("GET",    "/certificates"):                                  _R,
    ("GET",    "/certificates/{certificate_id}"):                 _R,
    ("GET",    "/certificates/{certificate_id}/journal"):         _R,
    ("GET",    "/certificates/{certificate_id}/journal/export"):  _R,
    ("GET",    "/certificates/{certificate_id}/pdf"):             _R,
    ("GET",    "/certificates/{certificate_id}/sps.xml"):         _R,
    ("GET",    "/certificates/{certificate_id}/extracts"):        _R,
    ("GET",    "/certificates/{certificate_id}/trace"):           _R,
    ("GET",    "/certificates/{certificate_id}/documents"):       _R,
    ("GET",    "/certificates/{certificate_id}/files/{upload_id}"): _R,
    ("GET",    "/certificates/{certificate_id}/lines.{format}"):  _R,
    ("GET",    "/lists/certificates.{kind}"):                     _R,
    ("GET",    "/extracts"):                                      _R,
    ("GET",    "/extracts/{extract_id}"):                         _R,
    ("GET",    "/extracts/{extract_id}/trace"):                   _R,
    ("GET",    "/orders/{key}"):                                  _R,
    ("GET",    "/reference/commodities"):                         _R,
    ("GET",    "/customs/coi/{number}"):                          _R,
    ("POST",   "/certificates"):                                  _D,
    ("POST",   "/certificates/bulk"):                             _D,
    ("POST",   "/certificates/sps"):                              _D,
    ("PUT",    "/certificates/{certificate_id}/boxes"):           _D,
    ("POST",   "/certificates/{certificate_id}/copies"):          _D,
    ("POST",   "/certificates/{certificate_id}/lines"):           _D,
    ("POST",   "/certificates/{certificate_id}/uploads"):         _D,
    ("POST",   "/certificates/{certificate_id}/documents"):       _D,
    ("POST",   "/certificates/{certificate_id}/documents/{document_id}/versions"): _D,
    ("POST",   "/certificates/{certificate_id}/documents/{document_id}/withdrawal"): _D,
    ("POST",   "/certificates/{certificate_id}/extracts"):        _D,
    ("PUT",    "/extracts/{extract_id}/boxes"):                   _D,
    ("GET",    "/templates"):                                     _R,
    ("POST",   "/templates/{template_id}/certificates"):          _D,
    ("GET",    "/certificates/{certificate_id}/questions"):       _R,
    ("POST",   "/certificates/{certificate_id}/actions"):         _A,
    ("POST",   "/extracts/{extract_id}/actions"):                 _A,
    ("POST",   "/customs/coi/{number}/write-offs"):               _A,
}
# fmt: on
