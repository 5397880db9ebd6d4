"""An exchange of a Flow: its session is checked, its chart runs, the next screen is the answer.

Nothing but the session is written, until the Flow ends: then the chat's turn takes its outcome,
in one transaction with the session, so that it is taken once.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from engine.box_ports import OutboxEntry
from engine.clock import Clock, Ids
from engine.domain.conversation import Conversation
from engine.domain.ids import TenantId
from engine.errors import Conflict, TurnError, Unavailable
from engine.flow_ports import FlowSession
from engine.flows.exchange import FALLBACK, Asked, Screens, Shown
from engine.logs import reason
from engine.ports import TenantStore
from engine.rendering.views import plain
from engine.runtime.bundles import Bundles
from engine.runtime.catalog import TurnCatalog
from engine.runtime.decision import live_cart
from engine.runtime.flow_tokens import FlowTokens
from engine.runtime.turns import MAX_CONFLICTS, Turns
from engine.spec.bundle import Bundle
from engine.spec.flow import Flow
from engine.turn import Turn
from engine.whatsapp.flow_exchange import (
    FlowAnswer,
    FlowRequest,
    acknowledged,
    finished,
    gone,
    next_screen,
    pong,
)

_ERROR_KEY = re.compile(r"[A-Za-z][A-Za-z_-]{0,59}")

log = structlog.get_logger(__name__)


class Exchanges:
    """Answers the exchanges of all tenants' Flows.

    Args:
        send: gets the messages to send when a Flow has ended.
    """

    def __init__(
        self,
        *,
        stores: Callable[[TenantId], TenantStore],
        bundles: Bundles,
        turns: Turns,
        tokens: FlowTokens,
        clock: Clock,
        ids: Ids,
        send: Callable[[tuple[OutboxEntry, ...]], None],
    ) -> None:
        self._stores = stores
        self._bundles = bundles
        self._turns = turns
        self._tokens = tokens
        self._clock = clock
        self._ids = ids
        self._send = send
        self._screens = Screens()

    async def take(
        self, tenant: TenantId, request: FlowRequest, *, flow: str | None, product: str | None
    ) -> FlowAnswer:
        """Answer an exchange.

        Args:
            flow: the Flow whose address was asked.
            product: the product, if it was the address of one.

        Raises:
            TurnError: the Flow is at fault; nothing is written.
            Unavailable: the database does not answer, or the tenant cannot be served.
        """
        if request.action == "ping":
            return pong()
        if request.action == "error":
            # The client could not show our last answer: an author's mistake, seen in the log.
            log.error("flow.client_error", tenant=tenant, flow=flow, error=_key(request.error))
            return acknowledged()
        bundle = self._bundles.get(tenant)
        if bundle is None:
            raise Unavailable(f"the tenant '{tenant}' has no bundle that can be served")
        store = self._stores(tenant)
        for attempt in range(MAX_CONFLICTS):
            try:
                return await self._answer(request, bundle, store, flow, product)
            except Conflict as error:
                log.info("flow.conflict", tenant=tenant, attempt=attempt, reason=reason(error))
                await asyncio.sleep(0.005 * 2**attempt)
        raise TurnError(f"the exchange met {MAX_CONFLICTS} conflicts")

    async def _answer(
        self,
        request: FlowRequest,
        bundle: Bundle,
        store: TenantStore,
        flow: str | None,
        product: str | None,
    ) -> FlowAnswer:
        session = await self._tokens.session(request.token, store.flow_sessions)
        known = bundle.flows.get(session.flow) if session else None
        if session is None or known is None or not _is_addressed(session, flow, product):
            return gone(_expired(bundle, bundle.tenant.languages[0]))
        if session.state == "done":
            return self._again(session, request, bundle)
        if session.expires_at <= self._clock.now():
            return gone(_expired(bundle, session.language))
        catalog = TurnCatalog(store.catalog)
        asked = Asked(
            request.action,
            request.screen,
            request.data,
            session.input,
            session.trail,
            is_repeated=_is_repeated(session, request),
        )
        shown = await self._show(known, session, asked, bundle, store, catalog)
        if shown.failure:
            raise TurnError(f"{session.flow}: {shown.failure}")
        if shown.params is not None:
            params = _outcome(session, shown)
            ended = replace(_moved(session, shown, request), state="done", params=params)
            self._send(await self._turns.end_flow(ended, catalog=catalog))
            return finished(self._tokens.sign(session), params)
        if shown.screen is None:
            return gone(shown.error or _expired(bundle, session.language))
        moved = _moved(session, shown, request)
        if not asked.is_repeated and _is_news(session, moved):
            await store.flow_sessions.save(moved)
        return next_screen(request, shown.screen, shown.data, shown.error)

    def _again(self, session: FlowSession, request: FlowRequest, bundle: Bundle) -> FlowAnswer:
        """Answer for a Flow that has ended: a repeated last exchange as before, nothing else."""
        if request.action == "data_exchange" and session.trail[-1:] == (request.screen,):
            return finished(self._tokens.sign(session), session.params or {})
        return gone(_expired(bundle, session.language))

    async def _show(
        self,
        flow: Flow,
        session: FlowSession,
        asked: Asked,
        bundle: Bundle,
        store: TenantStore,
        catalog: TurnCatalog,
    ) -> Shown:
        held = await store.conversations.get(session.customer)
        talk = held or Conversation(session.tenant, session.customer, session.language)
        has_cart = talk.cart_expires_at is not None
        cart = await store.carts.get(session.customer) if has_cart else None
        now = self._clock.now()
        variables = plain(dict(session.variables))
        turn = Turn(
            tenant=bundle.tenant,
            conversation=replace(talk, language=session.language, variables=variables),
            cart=live_cart(cart, talk, now),
            catalog=catalog,
            orders=store.orders,
            ids=self._ids,
            now=now,
            terms={},
        )
        return await self._screens.show(flow, bundle, turn, asked)


def _key(error: str | None) -> str:
    """Give the key of a client's error; its words may hold what the customer entered."""
    found = _ERROR_KEY.match(error or "")
    return found[0] if found else "unknown"


def _is_addressed(session: FlowSession, flow: str | None, product: str | None) -> bool:
    if product is not None:
        return session.input.get("product") == product
    return session.flow == flow


def _is_repeated(session: FlowSession, request: FlowRequest) -> bool:
    """Tell whether a request is one that he has gone on from since.

    The network gave it twice, or he has gone back by himself and changed nothing.
    """
    if request.action == "INIT":
        return bool(session.trail)
    earlier = session.trail[:-1]
    is_same = session.answered.get(request.screen or "") == _digest(request.data)
    return request.action == "data_exchange" and request.screen in earlier and is_same


def _digest(data: Mapping[str, Any]) -> str:
    # Not orjson: a client may send half a character, which is no UTF-8.
    packed = json.dumps(data, sort_keys=True, default=str)
    return hashlib.blake2s(packed.encode(), digest_size=8).hexdigest()


def _moved(session: FlowSession, shown: Shown, request: FlowRequest) -> FlowSession:
    answered = dict(session.answered)
    if request.action == "data_exchange" and request.screen and request.screen != shown.screen:
        answered[request.screen] = _digest(request.data)
    return replace(
        session,
        answered=answered,
        version=session.version + 1,
        trail=shown.trail,
        variables=shown.variables,
        params=shown.outcome,
    )


def _is_news(before: FlowSession, after: FlowSession) -> bool:
    """Tell whether an exchange changed what the session remembers."""
    return replace(before, version=after.version) != after


def _outcome(session: FlowSession, shown: Shown) -> Mapping[str, Any]:
    known = {k: v for k, v in (shown.params or {}).items() if v is not None}
    return known | session.bound


def _expired(bundle: Bundle, language: str) -> str:
    terms = bundle.vocabulary(language).terms
    words = terms.get("flow") if isinstance(terms, Mapping) else None
    said = words.get("expired") if isinstance(words, Mapping) else None
    return said if isinstance(said, str) and said else FALLBACK
