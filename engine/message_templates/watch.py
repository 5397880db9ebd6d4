"""Templates that Meta may have decided on are asked for again: a webhook may have been lost.

A message that waits for a template whose approval nobody told would wait for ever. Of each tenant
one process asks, once in a while, and only as long as there is something to ask for.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import structlog

from engine.clock import Clock
from engine.domain.ids import TenantId
from engine.errors import EngineError, GraphError, Unavailable
from engine.logs import reason
from engine.message_templates.news import tell
from engine.message_templates.ports import (
    MISSING,
    KnownTemplate,
    TemplateCalls,
    TemplateRepository,
)
from engine.ports import Business
from engine.runtime.polling import Poll

LOOK_SECONDS: Final = 60.0
"""How often the database is asked whether there is something to ask Meta for."""
ASK_EVERY: Final = timedelta(minutes=15)
"""How often Meta is asked for a tenant's templates. It takes 200 calls in an hour, of all that is
done with an account (about-the-platform), and tells of most decisions by itself."""

log = structlog.get_logger(__name__)


class TemplateWatch:
    """Asks Meta for the templates that are not settled.

    Args:
        tenants: names the tenants that are served.
        is_mine: tells whether it is this process that asks for a tenant.
        calls: makes the calls with an access token.
    """

    def __init__(
        self,
        *,
        known: TemplateRepository,
        calls: Callable[[str], TemplateCalls],
        business: Callable[[TenantId], Awaitable[Business | None]],
        tenants: Callable[[], Iterable[TenantId]],
        is_mine: Callable[[TenantId], bool],
        clock: Clock,
    ) -> None:
        self._known = known
        self._calls = calls
        self._business = business
        self._tenants = tenants
        self._is_mine = is_mine
        self._clock = clock
        self._asked: dict[TenantId, datetime] = {}
        self._poll = Poll(self.look, every=LOOK_SECONDS)

    async def run(self) -> None:
        """Ask until stopped."""
        await self._poll.run()

    def stop(self) -> None:
        """Ask no more."""
        self._poll.stop()

    async def look(self) -> None:
        """Ask Meta for what is not settled, of tenants it was not asked for lately."""
        since = self._clock.now() - ASK_EVERY
        mine = [tenant for tenant in self._tenants() if self._may_ask(tenant, since)]
        try:
            unsettled = await self._known.unsettled(mine, before=since)
            for tenant, names in unsettled.items():
                if not self._poll.is_stopped and self._may_ask(tenant, since):
                    self._asked[tenant] = self._clock.now()
                    await self._ask(tenant, names)
        except Unavailable as error:
            log.warning("template.database_away", error=reason(error))

    def _may_ask(self, tenant: TenantId, since: datetime) -> bool:
        return self._is_mine(tenant) and self._asked.get(tenant, since) <= since

    async def _ask(self, tenant: TenantId, names: Iterable[tuple[str, str]]) -> None:
        try:
            business = await self._business(tenant)
            if business is None or not business.waba_id or not business.access_token:
                return
            found = await self._calls(business.access_token).templates(business.waba_id)
        except Unavailable:
            raise
        except EngineError as error:
            # Such as a token that expired: whoever sends meets that, too.
            code = error.code if isinstance(error, GraphError) else 0
            log.warning("template.not_told", tenant=tenant, code=code, error=reason(error))
            return
        now = self._clock.now()
        held = {(each.name, each.language): each.known(tenant, now) for each in found}
        for name, language in sorted(names):
            missing = KnownTemplate(tenant, name, language, MISSING, now)
            await self._note(held.get((name, language), missing))

    async def _note(self, template: KnownTemplate) -> None:
        before = await self._known.status_of(template.tenant, template.name, template.language)
        await self._known.note(template)
        if before != template.status:
            tell(template)
