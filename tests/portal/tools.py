"""Identity's door for other tools, in memory: one tool that asks its users, whose address is fixed."""

from dataclasses import dataclass, field

from services.portal.tools import Passed, ToolsClient
from services.portal.wire import Trouble
from shared.contracts.identity import SessionView
from shared.contracts.tools import HomeDoor, HomeReturn, HomeWish, ToolAnswer, ToolQuestion

BACK = "https://stock.example/back?code=code_1&state=kept"


@dataclass
class ToolsInMemory(ToolsClient):
    """Whatever is asked, the user decides; what tools ask by themselves is repeated to them."""

    prove: bool = False
    questions: list[ToolQuestion] = field(default_factory=list)

    async def asked(self, session: str, question: ToolQuestion) -> ToolAnswer:
        self.questions.append(question)
        if "client_id=stock" not in question.query:
            raise Trouble(400, "unknown_tool", "Nobody vouches for the page that sent you here.")
        known = ToolAnswer(tool="Stock & Co <b>", asks=["profile", "email"])
        if not session:
            return ToolAnswer(tool=known.tool, sign_in=True)
        if question.consent is None:
            return known.model_copy(update={"prove": self.prove})
        back = BACK if question.consent else BACK.replace("code=code_1", "error=access_denied")
        return ToolAnswer(tool=known.tool, location=back)

    async def passed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Passed:
        said = f"{method} {path} {body.decode()} {sorted(headers.items())}".encode()
        return Passed(418, said, {"content-type": "application/json", "set-cookie": "a=b", "server": "x"})

    async def home(self, wish: HomeWish) -> HomeDoor:
        return HomeDoor(location="https://home.example/oauth/authorize?state=kept", ticket="ticket")

    async def home_back(self, session: str, said: HomeReturn) -> SessionView:
        raise Trouble(401, "session_ended", "Please sign in again.")

    async def close(self) -> None:
        pass
