"""The staff in a dialog: their own phone, and what they type on the business phone."""

from collections.abc import Callable

from engine.dialogs.stage import DialogFailed, Stage
from engine.domain.ids import TenantId
from engine.playground import Playground
from engine.sandbox import Customer, Received
from engine.spec.dialog import StaffActs
from engine.storage.erasure import MongoErasure
from engine.transcript import lines

NAME = "Staff"


class StaffPhone:
    """The number that a tenant's people are told of customers at.

    Args:
        show: gets every line of the transcript as it comes.
        seen: the number of the last message that is of no dialog that is played now.
    """

    def __init__(
        self, playground: Playground, phone: Customer, *, show: Callable[[str], None], seen: int
    ) -> None:
        self._playground = playground
        self._stage = Stage(playground, phone, show=lambda _: None)
        self._show = show
        self._seen = seen

    @classmethod
    async def of(
        cls, playground: Playground, tenant: TenantId, show: Callable[[str], None]
    ) -> "StaffPhone | None":
        """Give the staff's phone as it is before it has written to the shop; None without one."""
        number = playground.bundle(tenant).tenant.staff.digits
        if not number:
            return None
        erasure = MongoErasure(playground.engine.database, tenant)
        for key in await erasure.find(number):
            await erasure.forget(key, now=playground.engine.clock.now())
        phone = playground.customer(tenant, number, NAME)
        before = await phone.messages()
        return cls(playground, phone, show=show, seen=before[-1].n if before else 0)

    async def do(self, acts: StaffActs, customer: Customer) -> None:
        """Do what a step says.

        Raises:
            DialogFailed: it cannot be done.
        """
        if acts.types is not None:
            self._show(f"staff types on the business phone: {acts.types}")
            await customer.hear_from_staff(acts.types)
        elif acts.writes is not None:
            self._show(f"staff's phone: {acts.writes}")
            await self._stage.customer.say(acts.writes)
        elif acts.taps is not None:
            choice = self._stage.offered(acts.taps)
            if choice is None:
                raise DialogFailed(f"nothing the staff got is called '{acts.taps}'")
            self._show(f"staff taps: {choice.title}")
            await self._stage.customer.send_raw(choice.reply())

    async def see(self) -> int:
        """Show what the staff got since; tell how many messages that were."""
        await self._playground.engine.idle()
        fresh: list[Received] = await self._stage.customer.messages(after=self._seen)
        for message in fresh:
            self._seen = message.n
            self._stage.received.append(message)
            first, *others = lines(message.payload)
            self._show(f"to the staff: {first}".rstrip())
            for line in others:
                self._show(f"      {line}".rstrip())
        return len(fresh)
