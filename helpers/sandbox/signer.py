"""Signing many tokens at once, outside the event loop where there are threads."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Executor

from helpers.sandbox.tokens import SigningKey

SIGNATURES_AT_ONCE = 16


class Signer:
    """Signs many tokens at once in other threads, and a single one at once: a thread costs as much as half a signature."""

    def __init__(self, key: SigningKey, executor: Executor | None) -> None:
        self._key = key
        self._executor = executor
        self._waiting: list[tuple[str, asyncio.Future[str]]] = []

    async def sign(self, unsigned: str, *, alone: bool) -> str:
        """Return the signed token. `alone`: nobody else waits for an answer."""
        if self._executor is None or alone:
            return self._key.sign(unsigned)
        loop = asyncio.get_running_loop()
        signed: asyncio.Future[str] = loop.create_future()
        self._waiting.append((unsigned, signed))
        if len(self._waiting) == 1:
            # After everything else that the event loop found ready, which may want signatures too.
            loop.call_soon(self._hand_over, loop)
        return await signed

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting, []
        if len(batch) == 1:
            self._deliver(batch, [self._key.sign(batch[0][0])])
            return
        assert self._executor is not None
        # In small portions, so that the first are on their way while the last are signed.
        for start in range(0, len(batch), SIGNATURES_AT_ONCE):
            portion = batch[start : start + SIGNATURES_AT_ONCE]
            self._executor.submit(self._sign_all, loop, portion)

    def _sign_all(
        self, loop: asyncio.AbstractEventLoop, batch: list[tuple[str, asyncio.Future[str]]]
    ) -> None:
        tokens = [self._key.sign(unsigned) for unsigned, _ in batch]
        # A server that was stopped meanwhile waits for nothing.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._deliver, batch, tokens)

    def _deliver(self, batch: list[tuple[str, asyncio.Future[str]]], tokens: list[str]) -> None:
        for (_, signed), token in zip(batch, tokens, strict=True):
            if not signed.done():
                signed.set_result(token)
