"""A printed copy as a file: laid out like the form by ``print/form.typ``.

One thing to remember: the same revision gives the same bytes. Nothing is printed but what the copy brings; times are
those of the row, words those of the law and of ``print/<language>.po``, names those of the reference lists.
"""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst

from services.certificates.print.certificate import CertificateSheet
from services.certificates.print.coverage import plain
from services.certificates.print.extract import ExtractSheet
from services.certificates.print.sheet import Attached, Copy
from shared.contracts.certificate_views import CertificateView, ExtractView

__all__ = ["Attached", "Copy", "printed"]
HERE: Final = Path(__file__).parent / "print"


def printed(copy: Copy[CertificateView] | Copy[ExtractView], language: str) -> bytes:
    """The copy as PDF/A-3a and PDF/UA-1 in a language."""
    page = _plain(_page(copy, language))
    return typst.compile(
        str(HERE / "form.typ"),
        root=str(HERE),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={
            "page": json.dumps(page, ensure_ascii=False),
            "attached": json.dumps([vars(each) for each in copy.attached], ensure_ascii=False),
        },
        pdf_standards=["a-3a", "ua-1"],
        timestamp=int(copy.view.updated_at.timestamp()),
    )


def _page(copy: Copy[Any], language: str) -> dict[str, Any]:
    kind = ExtractSheet if isinstance(copy.view, ExtractView) else CertificateSheet
    return kind(copy, language).page()


@cache
def _fonts() -> typst.Fonts:
    """The fonts that are shipped, and no other: what is printed does not depend on the machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])


def _plain(value: Any) -> Any:
    """The same with every sign that no font of ours has replaced by the sign for that."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, Sequence):
        return [_plain(each) for each in value]
    return value
