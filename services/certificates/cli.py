"""The ``bordereau`` command: check copies and journals, take the official nomenclature of a year."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from services.certificates import commodities, offline
from services.certificates.settings import Settings
from shared.kit.db import Database
from shared.reference import commodities as shipped

app = typer.Typer(name="bordereau", help=__doc__, no_args_is_help=True, add_completion=False)
reference = typer.Typer(help="Reference data.", no_args_is_help=True)
app.add_typer(reference, name="reference")


@app.command("verify")
def verify_files(
    files: Annotated[list[str], typer.Argument(help="Printed copies (PDF), exported journals, texts of square codes.")],
    keys: Annotated[
        Path | None, typer.Option(help="The published keys, as saved from /verify/keys.json of the portal.")
    ] = None,
) -> None:
    """Check printed copies, exported journals and square codes: seals, chain, signatures. Needs no network."""
    raise typer.Exit(offline.main(files, keys))


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
