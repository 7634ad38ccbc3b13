"""From the row to the mail server: at least once, under one Message-ID, and never an address in a row."""

import re
from datetime import timedelta

from sqlalchemy import text

from services.notifications.activities import Letters
from shared.contracts.notifications import LetterOrder
from shared.events.identity import PersonChanged
from shared.kit.temporal import activities_of
from shared.rules.permissions import Tie
from tests.services.conftest import NOON
from tests.services.notifications.conftest import PARTIES, PostOffice, organisation, person_id, signed, submitted


async def test_a_letter_arrives_in_the_readers_language_and_zone(office: PostOffice) -> None:
    await office.hear(submitted(due="departed_unsigned", due_at=NOON + timedelta(days=3)))
    await office.deliver()
    [message] = office.server.taken
    text_part, html_part = message.iter_parts()
    assert message["To"] == "Ines <ines@ecocert.example>"
    assert message["From"] == "Bordereau <no-reply@bordereau.example>"
    assert message["Subject"] == "COI.MA.2026.0000001\u00a0: à contrôler et à signer"
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "fr")
    assert "Jusqu’au\u00a0: 23 novembre 2026 à 13:00 (Paris)" in text_part.get_content()
    assert html_part.get_content_type() == "text/html"
    [letter] = await office.letters()
    assert (letter.state, letter.attempts, letter.sent_at) == ("SENT", 1, NOON)
    assert letter.message_id == message["Message-ID"]


async def test_a_deadline_stands_only_in_the_letter_of_him_whose_clock_it_is(office: PostOffice) -> None:
    await office.hear(signed(due="completion_first_call", due_at=NOON + timedelta(days=5)))
    await office.deliver()
    assert not any("Jusqu’au" in str(message) or "Until" in str(message) for message in office.server.taken)


async def test_the_mail_server_is_away_and_comes_back(office: PostOffice) -> None:
    await office.server.shut()
    await office.hear(signed())
    for _ in range(4):
        await office.deliver()
        office.clock.forward(seconds=30)
    waiting = await office.letters()
    assert {row.state for row in waiting} == {"WAITING"}
    assert "mail_server_away" in {row.reason for row in waiting}
    await office.server.open()
    await office.deliver()
    await office.deliver()
    assert sorted(office.server.ids) == sorted(row.message_id for row in waiting)
    assert {row.state for row in await office.letters()} == {"SENT"}


async def test_the_pause_between_attempts_grows(office: PostOffice) -> None:
    await office.server.shut()
    await office.hear(submitted())
    pauses = []
    for _ in range(5):
        await office.deliver()
        [letter] = await office.letters()
        pauses.append((letter.next_at - office.clock()).total_seconds())
        office.clock.time = letter.next_at
    assert pauses == [1, 2, 4, 8, 16]
    assert letter.attempts == 5


async def test_a_lost_answer_is_sent_again_under_the_same_message_id(office: PostOffice) -> None:
    office.server.loses_answers = 1
    await office.hear(submitted())
    await office.deliver()
    office.clock.forward(seconds=5)
    await office.deliver()
    first, second = office.server.ids
    assert first == second
    [letter] = await office.letters()
    assert letter.state == "SENT"


async def test_a_refused_letter_fails_and_one_put_off_is_tried_again(office: PostOffice) -> None:
    office.server.answers = ["550 no such mailbox"]
    await office.hear(submitted())
    await office.deliver()
    [letter] = await office.letters()
    assert (letter.state, letter.reason) == ("FAILED", "refused_550")
    office.server.answers = ["451 later"]
    await office.hear(submitted())
    await office.deliver()
    assert {row.reason for row in await office.letters()} == {"refused_550", "put_off_451"}
    office.clock.forward(seconds=5)
    await office.deliver()
    assert len(office.server.taken) == 1


async def test_a_person_identity_does_not_know_gets_no_letter(office: PostOffice) -> None:
    del office.hall.people[person_id("ines")]
    await office.hear(submitted())
    await office.deliver()
    [letter] = await office.letters()
    assert (letter.state, letter.reason) == ("FAILED", "no_such_person")


async def test_letters_wait_while_identity_is_away(office: PostOffice) -> None:
    office.hall.shut = True
    await office.hear(submitted())
    await office.deliver()
    [letter] = await office.letters()
    assert (letter.state, letter.reason) == ("WAITING", "identity_away")
    office.hall.shut = False
    office.clock.forward(seconds=5)
    await office.deliver()
    assert len(office.server.taken) == 1


async def test_what_is_a_week_old_is_not_mailed_any_more(office: PostOffice) -> None:
    await office.hear(submitted())
    office.clock.forward(days=8)
    await office.deliver()
    [letter] = await office.letters()
    assert (letter.state, letter.reason) == ("FAILED", "too_old")
    assert len(await office.news()) == 3


async def test_a_demonstration_address_is_written_to_on_a_demonstration_system_only(office: PostOffice) -> None:
    office.around.settings.demo = False
    await office.hear(submitted())
    await office.deliver()
    [letter] = await office.letters()
    assert (letter.state, letter.reason) == ("FAILED", "demo_address")


async def test_whoever_wants_plain_text_gets_plain_text(office: PostOffice) -> None:
    office.hall.change("ines", html=False)
    await office.hear(submitted())
    await office.deliver()
    assert office.server.taken[0].get_content_type() == "text/plain"


async def test_no_address_and_no_name_of_a_person_stands_in_a_row(office: PostOffice) -> None:
    await office.hear(signed(), PersonChanged(at=NOON, person_id=person_id("claire")))
    await office.deliver()
    async with office.around.database.transaction() as session:
        rows = await session.execute(
            text("SELECT row_to_json(l)::text || row_to_json(n)::text FROM letter l JOIN notice n ON n.id = notice_id")
        )
        written = " ".join(row[0] for row in rows)
    assert "Claire" not in written
    assert not re.search(r"[\w.]+@(?!letters\.bordereau\.example)", written)


async def test_foreign_words_stay_words(office: PostOffice) -> None:
    name = 'Atlas <script>alert(1)</script>\r\nBcc: everybody@evil.example " https://evil.example'
    await office.hear(organisation("atlas", name=name, revision=2))
    await office.hear(signed(reason="x\r\nSubject: y <img src=z> http://evil.example", by="atlas",
                             parties=PARTIES | {Tie.CREATOR: ["ecocert"], Tie.EXPORTER: ["ecocert"]}))  # fmt: skip
    office.hall.change("claire", name='Claire\r\nBcc: all@evil.example, "Boss"')
    await office.deliver()
    [message] = office.server.to("claire")
    assert message["Bcc"] is None
    assert message.keys().count("Subject") == message.keys().count("To") == 1
    assert [address.addr_spec for address in message["To"].addresses] == ["claire@pyrenees.example"]
    plain, html = (part.get_content() for part in message.iter_parts())
    assert "<script>" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html
    assert re.findall(r"https?://\S+", plain) == [re.search(r'href="([^"]+)"', html).group(1)]  # type: ignore[union-attr]
    assert html.count("href=") == html.count("https://") == 1


async def test_an_ordered_letter_is_one_letter_and_its_link_is_a_secret(office: PostOffice) -> None:
    letters = Letters(office.around)
    order = LetterOrder("account-1", "account-link", person_id("bram"), "link-1")
    assert await letters.send(order) == await letters.send(order)
    await office.deliver()
    [message] = office.server.taken
    assert "https://bordereau.example/password/secret" in message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    async with office.around.database.transaction() as session:
        kept = (await session.execute(text("SELECT row_to_json(n)::text FROM notice n"))).scalar_one()
    assert "secret" not in kept
    assert await office.news() == []
    assert len(activities_of(letters)) == 1


async def test_recipients_are_asked_for_once_while_nothing_changes(office: PostOffice) -> None:
    await office.hear(submitted(), submitted(), submitted())
    await office.deliver()
    assert len(office.server.taken) == 3
    assert office.hall.asked == 1
