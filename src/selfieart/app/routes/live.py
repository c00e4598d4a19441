"""The camera, live: a WebSocket on which the latest frame wins."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from selfieart.app.errors import status_of, without_paths
from selfieart.app.requests import LiveRequest, live_request
from selfieart.app.responses import ErrorJson
from selfieart.app.state import AppState, state_of
from selfieart.app.uploads import read_json
from selfieart.app.videos import LivePainter
from selfieart.errors import Cancelled, SelfieartError
from selfieart.progress import Progress

log = logging.getLogger(__name__)

LARGEST_FRAME_BYTES = 2_000_000


class LiveSession:
    """One camera.

    Args:
        socket: accepted.
        state: where frames are painted.
    """

    def __init__(self, socket: WebSocket, state: AppState) -> None:
        self.socket, self.state = socket, state
        self._newest: bytes | None = None
        self._arrived = asyncio.Event()
        self._wanted: LiveRequest | None = None
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
            self._wanted = live_request(read_json(text), self.state.style_path)
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
                task = self.state.worker.submit(partial(self._painted, frame))
                await self.socket.send_bytes(await asyncio.wrap_future(task.future))
            except (WebSocketDisconnect, RuntimeError):
                # The page left while its frame was being painted.
                return
            except Exception as error:
                await self._complain(self._sentence(error))

    def _painted(self, frame: bytes, step: Progress) -> bytes:
        """In the worker's thread."""
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._painter = LivePainter(self.state.portraits.studio, wanted)
        assert self._painter is not None
        return self._painter.paint(frame)

    def _sentence(self, error: Exception) -> str:
        known = status_of(error)
        if known is None and not isinstance(error, Cancelled):
            log.error("A frame could not be painted", exc_info=error)
        return without_paths(known[1], self.state.folder.path) if known else "Something went wrong: start again."

    async def _complain(self, sentence: str) -> None:
        answer: ErrorJson = {"error": sentence}
        await self.socket.send_json(answer)


async def live(socket: WebSocket) -> None:
    """WS /api/live."""
    state = state_of(socket)
    await socket.accept()
    session, before = LiveSession(socket, state), state.camera
    state.camera = session
    try:
        if before is not None:
            # Two cameras would each get half of the frames, late.
            await before.leave("The camera is used on another page now.")
        await session.run()
    finally:
        if state.camera is session:
            state.camera = None


ROUTES = [WebSocketRoute("/live", live)]
