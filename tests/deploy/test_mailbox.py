"""The mail catcher keeps what is sent, shows it, and lets nothing in a letter act."""

from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx2
import pytest

from deploy.local.mailbox import Mailbox, mailbox
from deploy.local.ports import LOOPBACK, free_port


@pytest.fixture
def ports() -> tuple[int, int]:
    return (first := free_port()), free_port({first})


@pytest.fixture
async def web(tmp_path: Path, ports: tuple[int, int]) -> AsyncIterator[httpx2.AsyncClient]:
    smtp, page = ports
    async with mailbox(tmp_path, smtp, page), httpx2.AsyncClient(base_url=f"http://{LOOPBACK}:{page}") as web:
        yield web


def letter(subject: str = "Certificat COI.MA.2026.0000001 — à signer", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Bordereau <noreply@bordereau.example>"
    message["To"] = "inspector@ecocert.example"
    message["Subject"] = subject
    message["Message-ID"] = "<one@bordereau.example>"
    message.set_content("Bonjour,\n\nvoir http://localhost:8080/certificates/1\n")
    if html:
        message.add_alternative(html, subtype="html")
    return message


async def send(message: EmailMessage, port: int) -> None:
    await aiosmtplib.send(message, hostname=LOOPBACK, port=port, start_tls=False)


async def test_a_letter_is_kept_and_shown_as_list_text_html_and_as_it_was_sent(
    web: httpx2.AsyncClient, ports: tuple[int, int]
) -> None:
    await send(letter(html="<p>Bonjour <b>Hélène</b></p>"), ports[0])
    (found,) = (await web.get("/messages")).json()
    assert found["subject"] == "Certificat COI.MA.2026.0000001 — à signer"
    assert found["to"] == ["inspector@ecocert.example"]
    assert found["message_id"] == "<one@bordereau.example>"
    whole = (await web.get(f"/messages/{found['id']}")).json()
    assert whole["links"] == ["http://localhost:8080/certificates/1"]
    assert "Hélène" in whole["html"]
    assert "Bonjour" in (await web.get(f"/messages/{found['id']}/text")).text
    assert "<b>Hélène</b>" in (await web.get(f"/messages/{found['id']}/html")).text
    assert (await web.get(f"/messages/{found['id']}/raw")).text.startswith("From: Bordereau")
    assert "à signer" in (await web.get("/")).text
    assert "à signer" in (await web.get(f"/letters/{found['id']}")).text


async def test_letters_are_found_by_subject_or_person(web: httpx2.AsyncClient, ports: tuple[int, int]) -> None:
    await send(letter(), ports[0])
    await send(letter("Bienvenue"), ports[0])
    assert [one["subject"] for one in (await web.get("/messages", params={"q": "bienvenue"})).json()] == ["Bienvenue"]
    assert len((await web.get("/messages", params={"q": "ecocert"})).json()) == 2


async def test_nothing_in_a_letter_can_act(web: httpx2.AsyncClient, ports: tuple[int, int]) -> None:
    await send(letter("<script>alert(1)</script>", html="<script>alert(2)</script>"), ports[0])
    (found,) = (await web.get("/messages")).json()
    for path in ("/", f"/letters/{found['id']}"):
        page = await web.get(path)
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
    shown = await web.get(f"/messages/{found['id']}/html")
    assert shown.headers["content-security-policy"].startswith("sandbox ")
    assert "allow-scripts" not in shown.headers["content-security-policy"]
    assert 'sandbox="allow-popups' in (await web.get(f"/letters/{found['id']}")).text
    assert (await web.get(f"/messages/{found['id']}/raw")).headers["content-type"].startswith("text/plain")


async def test_a_foreign_name_with_our_number_is_refused(web: httpx2.AsyncClient) -> None:
    assert (await web.get("/messages", headers={"Host": "elsewhere.example"})).status_code == 400


@pytest.mark.parametrize("path", ["/messages/none", "/messages/../../etc/passwd", "/letters/%2e%2e", "/messages/x/raw"])
async def test_what_is_not_there_is_not_there(web: httpx2.AsyncClient, path: str) -> None:
    assert (await web.get(path)).status_code == 404


def test_letters_survive_and_the_oldest_go_first(tmp_path: Path) -> None:
    box = Mailbox(tmp_path, most=2)
    for name in ("first", "second", "third"):
        box.put(letter(name).as_bytes(), ("somebody@here.example",))
    again = Mailbox(tmp_path, most=2)
    assert [one.subject for one in again.all()] == ["third", "second"]
    assert len(list(tmp_path.glob("*.eml"))) == 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?utf-8?q?=ZZ?=\n\nx",
        b"Content-Type: text/html; charset=nowhere\n\n\xff",
        b"To:\n\n",
    ],
)
def test_a_letter_may_hold_anything(tmp_path: Path, raw: bytes) -> None:
    box = Mailbox(tmp_path)
    found = box.get(box.put(raw, ()))
    assert found is not None
    assert found.raw == raw
    assert isinstance(found.text + found.html + found.summary.subject, str)
