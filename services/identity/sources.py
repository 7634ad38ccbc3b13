"""Where a request comes from, and how many a source may send: the web site tells on whose behalf it asks."""

from typing import Annotated

from fastapi import Depends, Header, Request
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from shared.kit.sessions import Gatekeeper
from shared.rules.refusals import Refused


async def source_of(
    request: Request,
    for_source: Annotated[str | None, Header(alias="For-Source", max_length=64)] = None,
    on_behalf: Annotated[str | None, Header(alias="On-Behalf")] = None,
) -> str:
    """The address of the browser: as the web site tells (it shows that it is one of us), or of whoever asks himself."""
    if for_source and on_behalf:
        gatekeeper: Gatekeeper = request.app.state.gatekeeper
        if gatekeeper.service(on_behalf) == "portal":
            return for_source
    return request.client.host if request.client else ""


Source = Annotated[str, Depends(source_of)]


class Rate:
    """So many of one thing from one source."""

    def __init__(self, limit: str) -> None:
        self._limit = parse(limit)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit_or_refuse(self, *of: str) -> None:
        """One more; refused ``too_many_attempts`` beyond the limit."""
        if not self._limiter.hit(self._limit, *of):
            raise Refused("too_many_attempts")
