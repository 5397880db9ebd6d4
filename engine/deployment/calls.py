"""What deploying Flows needs of Meta: the calls as a protocol, and what they tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from engine.errors import GraphError, GraphRetryable

UNEDITABLE: Final = 139001
"""Meta does not let this published Flow be edited: a clone must take its place."""

_HINTS: Final = {
    10: "the access token needs the permission whatsapp_business_management",
    190: "store a valid access token: `comanda seed TENANT --token ...`",
    200: "the access token needs the permission whatsapp_business_management",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is wrong with a Flow JSON, as Meta tells it.

    Args:
        code: such as `INVALID_PROPERTY_VALUE`.
        line: of the text that was uploaded.
        pointer: path to the value that is meant, if Meta named one.
    """

    message: str
    code: str = ""
    line: int | None = None
    pointer: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class MetaFlow:
    """A Flow as Meta has it.

    Args:
        status: one of `engine.flow_ports.FlowStatus`, or one that Meta invents later.
        endpoint: the address WhatsApp posts its exchanges to, or nothing.
        health: `AVAILABLE`, `LIMITED` or `BLOCKED`, or nothing if Meta does not tell.
        ailments: why it is not available.
    """

    id: str
    name: str
    status: str
    endpoint: str = ""
    json_version: str = ""
    health: str = ""
    ailments: tuple[str, ...] = ()
    complaints: tuple[Complaint, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """The public key Meta has for a phone number.

    Args:
        signature: `VALID`, or `MISMATCH` if it must be uploaded again.
    """

    pem: str
    signature: str

    def is_good(self, wanted: str) -> bool:
        """Tell whether WhatsApp can encrypt for the key that is wanted."""
        return self.signature != "MISMATCH" and self.is_same(wanted)

    def is_same(self, wanted: str) -> bool:
        """Tell whether it is the key that is wanted; line ends do not count."""
        return self.pem.split() == wanted.split()


class FlowCalls(Protocol):
    """What deploying needs of Meta, with a tenant's access token; each may raise GraphError."""

    async def flows(self, waba_id: str) -> tuple[MetaFlow, ...]:
        """Give the Flows of a WhatsApp account with id, name and status."""
        ...

    async def flow(self, flow_id: str) -> MetaFlow:
        """Give a Flow with everything Meta tells."""
        ...

    async def create(
        self,
        waba_id: str,
        name: str,
        categories: Sequence[str],
        endpoint_uri: str,
        clone_flow_id: str | None = None,
    ) -> str:
        """Make a draft, and give its id."""
        ...

    async def metadata(self, flow_id: str, *, endpoint_uri: str, name: str) -> None:
        """Change a Flow's address and name."""
        ...

    async def upload(self, flow_id: str, text: str) -> tuple[Complaint, ...]:
        """Give a Flow its Flow JSON; with complaints it cannot be published."""
        ...

    async def publish(self, flow_id: str) -> None:
        """Let customers have a draft."""
        ...

    async def deprecate(self, flow_id: str) -> None:
        """Let nobody have a published Flow any more."""
        ...

    async def public_key(self, phone_number_id: str) -> RegisteredKey | None:
        """Give the public key that is registered for a phone number."""
        ...

    async def set_public_key(self, phone_number_id: str, pem: str) -> None:
        """Register a public key for a phone number."""
        ...

    async def rights(self) -> frozenset[str] | None:
        """Name the permissions of the access token, if Meta tells."""
        ...


def explain(error: GraphError) -> str:
    """Say in one sentence what Meta said and what to do about it."""
    said = " ".join(part for part in (str(error), error.details) if part)
    if isinstance(error, GraphRetryable):
        return f"Meta does not do it now ({said}); try again later"
    hint = _HINTS.get(error.code, "")
    return f"Meta refuses it ({said}){'; ' if hint else ''}{hint}"
