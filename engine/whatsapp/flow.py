"""The message that opens a Flow; the Flow's own screens are not known here.

Wire shape and rules: Meta's page flows/guides/sendingaflow.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from engine.whatsapp import limits
from engine.whatsapp.frame import check_frame, framed
from engine.whatsapp.rules import InvalidMessage, require_json, require_some, require_text


@dataclass(frozen=True, slots=True)
class FlowMessage:
    """A text with a button that opens a Flow.

    Args:
        body: the text.
        flow_id: Meta's id of the Flow.
        cta: the label of the button.
        token: comes back with every exchange and with the completion.
        action: open a screen at once, or ask our endpoint for the first one.
        screen: the entry screen to open; with "navigate", and only then.
        data: the data of that screen, not empty, without nulls.
        mode: "draft" opens a Flow that is not published.
        header: a text above the body; not together with an image.
        image: the link of a picture above the body.
        footer: a small text below it.
    """

    body: str
    flow_id: str
    _: KW_ONLY
    cta: str
    token: str
    action: Literal["navigate", "data_exchange"]
    screen: str | None = None
    data: Mapping[str, Any] | None = None
    mode: Literal["published", "draft"] = "published"
    header: str | None = None
    image: str | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        check_frame(
            "flow", body=self.body, header=self.header, image=self.image, footer=self.footer
        )
        require_text("flow.flow_id", self.flow_id)
        require_text("flow.cta", self.cta, limit=limits.FLOW_CTA)
        require_text("flow.token", self.token)
        if self.action == "navigate":
            require_text("flow.screen", self.screen or "")
        elif self.screen is not None or self.data is not None:
            raise InvalidMessage("flow.screen", 'a screen and its data go with "navigate" only')
        if self.data is not None:
            require_some("flow.data", self.data)
            require_json("flow.data", dict(self.data))

    def to_wire(self) -> dict[str, Any]:
        """Give the message's part of a request body."""
        parameters: dict[str, Any] = {
            "flow_message_version": "3",
            "flow_id": self.flow_id,
            "flow_cta": self.cta,
            "mode": self.mode,
            "flow_token": self.token,
            "flow_action": self.action,
        }
        if self.action == "navigate":
            payload = {"screen": self.screen}
            parameters["flow_action_payload"] = (
                payload if self.data is None else {**payload, "data": dict(self.data)}
            )
        return framed(
            "flow",
            body=self.body,
            action={"name": "flow", "parameters": parameters},
            header=self.header,
            image=self.image,
            footer=self.footer,
        )
