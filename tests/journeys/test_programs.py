"""What docs/machines.md tells programs is done here, line by line, with real processes.

One thing to remember: no shell and no curl is needed. ``Shell`` understands exactly what the page uses, and a line that
it does not understand fails; the portal's ``/api`` is played by asking the service behind it.
"""

import asyncio
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx2
import pytest

from tests.journeys.people import CUSTOMS, EXPORTER, SECRETS, People, Person, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE: Final = (Path(__file__).resolve().parents[2] / "docs" / "machines.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FORM: Final = "application/x-www-form-urlencoded"


def blocks(language: str) -> list[str]:
    """The blocks of the page in this language."""
    return [text for named, text in BLOCK.findall(PAGE) if named == language]


def commands(text: str) -> Iterator[str]:
    """The commands of a block; one goes on over lines as long as a quote is open."""
    open_one = ""
    for line in text.splitlines():
        open_one += line + "\n"
        if re.sub(r'"[^"]*"|\'[^\']*\'', "", open_one).count("'") == 0:
            yield open_one.strip()
            open_one = ""
    assert not open_one.strip(), open_one


@dataclass
class Shell:
    """Carries out the page's lines: variables, ``curl`` with the options it uses, and a path after ``jq -r``."""

    web: httpx2.AsyncClient
    services: dict[str, str]
    folder: Path
    known: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    async def run(self, line: str) -> None:
        """One command, with what it expects behind ``#``."""
        line, _, expected = line.partition("  # ")
        line = re.sub(r"(?<!=)\$\(uuidgen\)", lambda _: str(uuid4()), line)
        if made := re.fullmatch(r"(\w+)=\$\((.*)\)", line, re.DOTALL):
            name, inner = made.groups()
            asks, _, path = inner.partition(" | jq -r ")
            self.known[name] = str(uuid4()) if inner == "uuidgen" else picked(await self.curl(asks, "2"), path)
        elif made := re.fullmatch(r"(\w+)=(.*)", line, re.DOTALL):
            self.known.setdefault(made[1], self.words(made[2])[0])
        else:
            await self.curl(line, expected or "2")

    def words(self, line: str) -> list[str]:
        """What the shell would make of it: quotes gone, and variables filled in, except between single quotes."""
        kept = re.sub(r"\$(\w+)", lambda found: "\0" + found[1] + "\1", line)
        parts = shlex.split(kept)
        return [re.sub("\0(\\w+)\1", lambda found: self.known[found[1]], part) for part in parts]

    async def curl(self, line: str, expected: str) -> httpx2.Response:
        """One request; its status, and the code of a no, are those expected."""
        name, *rest = self.words(line)
        assert name == "curl", line
        method, url, headers, out = "", "", {}, ""
        data: list[str] = []
        query = False
        while rest:
            option = rest.pop(0)
            if option == "-G":
                query = True
            elif not option.startswith("-"):
                url = option
            else:
                value = rest.pop(0)
                if option == "-H":
                    headers[value.partition(":")[0]] = value.partition(":")[2].strip()
                elif option == "-X":
                    method = value
                elif option == "-o":
                    out = value
                elif option in ("-d", "--data-urlencode", "--data-binary", "--json"):
                    data.append(value)
                    headers.setdefault("Content-Type", "application/json" if option == "--json" else FORM)
                else:
                    raise AssertionError(f"{option} is not known here: {line}")
        path = url.removeprefix(self.known["API"])
        assert path != url, line
        service = "directory" if path.startswith("/organisations") else "certificates"
        body = (self.folder / data[0][1:]).read_bytes() if data and data[0][0] == "@" else "&".join(data).encode()
        asked: dict[str, Any] = {"content": body} if data and not query else {}
        if query:
            headers.pop("Content-Type", None)
            asked = {"params": [tuple(each.split("=", 1)) for each in data]}
        method = method or ("POST" if asked.get("content") is not None else "GET")
        said = await self.web.request(method, self.services[service] + path, headers=headers, **asked)
        status, _, code = expected.partition(" ")
        assert str(said.status_code).startswith(status), (line, said.status_code, said.text[:500])
        assert not code or said.json()["code"] == code, (line, said.text[:500])
        if out:
            (self.folder / out).write_bytes(said.content)
        self.asked += 1
        return said


def picked(said: httpx2.Response, path: str) -> str:
    """What ``jq -r`` would print for a path."""
    found = said.json()
    for name, place in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        found = found[name] if name else found[int(place)]
    assert found is not None, path
    return str(found)


async def minted(person: Person, *scopes: str) -> tuple[str, str]:
    """A fresh access token of somebody's organisation: its id and its secret."""
    made = await person.asks("POST", "/access-tokens", {"name": "ERP", "scopes": scopes, "days": 1}, service="identity")
    SECRETS.add(made["secret"])
    return made["token"]["id"], made["secret"]


async def test_every_line_of_the_page_for_programs_does_what_it_says(people: People, tmp_path: Path) -> None:
    exporter, customs = await people(EXPORTER), await people(CUSTOMS)
    _, token = await minted(exporter, "read", "draft", "act")
    _, other = await minted(customs, "read", "act")
    number = (await people.brought_to("verify"))["number"]
    services = {name: str(people.addresses[name]) for name in ("certificates", "directory")}
    known = {"TOKEN": token, "CUSTOMS_TOKEN": other, "NUMBER": number}
    shell = Shell(people.web, services, tmp_path, known)
    for block in blocks("sh"):
        for line in commands(block):
            await shell.run(line)
    assert shell.asked > 30
    assert (tmp_path / "copy.pdf").read_bytes().startswith(b"%PDF")


async def test_a_delivery_arrives_signed_as_the_page_says_and_a_revoked_token_is_refused(
    people: People,
) -> None:
    (text,) = blocks("python")
    page: dict[str, Any] = {}
    exec(text, page)
    exporter = await people(EXPORTER)
    got: list[tuple[dict[str, str], bytes]] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(each.lower().split(": ", 1) for each in head.splitlines()[1:] if each)
        got.append((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        made = await exporter.asks("POST", "/webhooks", {"url": f"http://127.0.0.1:{port}/"})
        SECRETS.add(made["secret"])
        token_id, token = await minted(exporter, "read", "draft", "act")
        draft = await people.draft()
        order = {"action": "submit", "revision": draft["revision"]}
        mine = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        url = f"{people.addresses['certificates']}/certificates/{draft['id']}"
        moved = Person.checked(await people.web.post(f"{url}/actions", json=order, headers=mine)).json()
        headers, body = next(each for each in await until(lambda: got) if draft["id"].encode() in each[1])
        assert page["genuine"](made["secret"], headers["bordereau-signature"], body)
        assert not page["genuine"](made["secret"], headers["bordereau-signature"], body + b" ")
        assert moved["number"].encode() in body
        await exporter.says("DELETE", f"/webhooks/{made['webhook']['id']}")
        await exporter.says("DELETE", f"/access-tokens/{token_id}", service="identity")

        async def refused() -> bool:
            """What changes something looks again after a second."""
            again = await people.web.post(f"{url}/copies", json={}, headers={**mine, "Idempotency-Key": uuid4().hex})
            return again.status_code == 401

        await until(refused)
    finally:
        server.close()
