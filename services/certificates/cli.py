"""The ``bordereau`` command: check an exported journal, take the official nomenclature of a year."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.certificates import commodities, verify, verify_pdf
from services.certificates.settings import Settings
from shared.kit.db import Database
from shared.reference import commodities as shipped

app = typer.Typer(name="bordereau", help=__doc__, no_args_is_help=True, add_completion=False)
reference = typer.Typer(help="Reference data.", no_args_is_help=True)
app.add_typer(reference, name="reference")


@app.command("verify")
def verify_files(
    files: Annotated[list[Path], typer.Argument(help="Exported journals, printed copies (PDF).")],
    keys: Annotated[Path | None, typer.Option(help="The published keys, as saved from /signing-keys.")] = None,
) -> None:
    """Check exported journals and printed copies: seals, chain, documents, signatures. Needs no network."""
    copies = [file for file in files if file.suffix.lower() == ".pdf"]
    journals = [str(file) for file in files if file not in copies]
    failed = verify_pdf.main(copies, keys) if copies else 0
    failed |= verify.main(journals, str(keys) if keys else None) if journals else 0
    raise typer.Exit(failed)


@reference.command("import")
def reference_import(
    file: Annotated[Path, typer.Argument(help="The publisher's yearly file of the Combined Nomenclature.")],
    year: Annotated[int, typer.Option(help="The year it is in force.")],
) -> None:
    """Take the official Combined Nomenclature of a year into the certificates service's database."""
    try:
        official = shipped.parse_official(file, year)
    except (shipped.OfficialFileRefused, OSError) as trouble:
        typer.echo(f"{file}: {trouble}", err=True)
        raise typer.Exit(1) from None

    async def take() -> shipped.Renewal:
        database = Database(Settings().database_url)
        try:
            async with database.transaction() as session:
                return await commodities.renew(session, official, year)
        finally:
            await database.close()

    done = asyncio.run(take())
    typer.echo(f"{year}: {len(done.added)} codes added, {len(done.closed)} closed, {len(done.reworded)} reworded")


def main() -> None:
    """Entry point."""
    app(prog_name="bordereau")


if __name__ == "__main__":
    sys.exit(app(prog_name="bordereau"))
