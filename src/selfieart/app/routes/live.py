"""The camera, live: a WebSocket on which the latest frame wins."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from selfieart.app.capabilities import has_video
from selfieart.app.errors import status_of, without_paths
from selfieart.app.messages import look_from_json, table_of
from selfieart.app.state import Workshop, refuse_unless
from selfieart.app.uploads import read_json
from selfieart.app.videos import LivePainter
from selfieart.errors import Cancelled, SelfieartError
from selfieart.look import Look

log = logging.getLogger(__name__)

WIDEST = 640
NARROWEST = 64
LARGEST_FRAME_BYTES = 2_000_000


class LiveSession:
    """One camera.

    Args:
        socket: accepted.
        shop: where frames are painted.
    """

    def __init__(self, socket: WebSocket, shop: Workshop) -> None:
        self.socket, self.shop = socket, shop
        self._newest: bytes | None = None
        self._arrived = asyncio.Event()
        self._wanted: tuple[Look, int] | None = None
        self._painter: LivePainter | None = None

    async def run(self) -> None:
        """Answer frames until the page leaves."""
        painting = asyncio.create_task(self._paint())
        try:
            while True:
                message = await self.socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if message.get("text") is not None:
                    await self._ask(message["text"])
                elif len(message.get("bytes") or b"") > LARGEST_FRAME_BYTES:
                    await self._complain("The frame from the camera is too large: send a smaller one.")
                else:
                    # One that still waits is not painted any more.
                    self._newest = message["bytes"]
                    self._arrived.set()
        finally:
            painting.cancel()

    async def leave(self, sentence: str) -> None:
        """End this session and say why."""
        with suppress(WebSocketDisconnect, RuntimeError):
            await self._complain(sentence)
            await self.socket.close(1000)

    async def _ask(self, text: str) -> None:
        try:
            table = table_of(read_json(text), "message", {"look": dict}, {"width": int})
            width = min(WIDEST, max(NARROWEST, table.get("width", WIDEST)))
            self._wanted = look_from_json(table["look"], self.shop.style_path), width
        except SelfieartError as error:
            await self._complain(str(error))

    async def _paint(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            frame, self._newest = self._newest, None
            if frame is None:
                continue
            if self._wanted is None and self._painter is None:
                await self._complain("Choose a look first: send it as text before the frames.")
                continue
            try:
                ticket = self.shop.engine.submit(lambda step, frame=frame: self._painted(frame))  # type: ignore[misc]
                await self.socket.send_bytes(await asyncio.wrap_future(ticket.future))
            except (WebSocketDisconnect, RuntimeError):
                # The page left while its frame was being painted.
                return
            except Exception as error:
                await self._complain(self._sentence(error))

    def _painted(self, frame: bytes) -> bytes:
        """In the engine's thread."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._painter = LivePainter(self.shop.atelier.studio, *wanted)
        assert self._painter is not None
        return self._painter.paint(frame)

    def _sentence(self, error: Exception) -> str:
        known = status_of(error)
        if known is None and not isinstance(error, Cancelled):
            log.error("A frame could not be painted", exc_info=error)
        return without_paths(known[1], self.shop.folder.path) if known else "Something went wrong: start again."

    async def _complain(self, sentence: str) -> None:
        answer: Any = {"error": sentence}
        await self.socket.send_json(answer)


async def live(socket: WebSocket) -> None:
    """WS /api/live."""
    shop: Workshop = socket.app.state.workshop
    await socket.accept()
    try:
        refuse_unless(has_video(), "This build has no live mode: install selfieart with PyAV.")
    except SelfieartError as error:
        await socket.send_json({"error": str(error)})
        await socket.close(1013)
        return
    session, before = LiveSession(socket, shop), shop.camera
    shop.camera = session
    try:
        if before is not None:
            # Two cameras would each get half of the frames, late.
            await before.leave("The camera is used on another page now.")
        await session.run()
    finally:
        if shop.camera is session:
            shop.camera = None


ROUTES: list[BaseRoute] = [WebSocketRoute("/api/live", live)]
