"""Streaming: a response whose rows are fetched while they are sent."""

import asyncio
from collections.abc import AsyncGenerator, Mapping

from starlette.responses import StreamingResponse
from starlette.types import Send


class Stream(StreamingResponse):
    """A stream that ends when its client has gone, and not when somebody collects garbage."""

    def __init__(
        self, body: AsyncGenerator[str], *, headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(body, headers=headers, media_type=media_type)
        self._body = body

    async def stream_response(self, send: Send) -> None:
        try:
            await super().stream_response(send)
        finally:
            # In a task of its own: that of the request may be cancelled.
            await asyncio.shield(asyncio.ensure_future(self._body.aclose()))
