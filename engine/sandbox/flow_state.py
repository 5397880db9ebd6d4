"""A Flow as Meta keeps it; what may become of it is decided in `flows`."""

from dataclasses import dataclass, field

from engine.sandbox.envelope import JsonObject

STATUSES = ("DRAFT", "PUBLISHED", "DEPRECATED", "BLOCKED", "THROTTLED")


@dataclass(slots=True)
class Flow:
    """A Flow of a WhatsApp account.

    Args:
        text: the Flow JSON of the last upload as it was written.
        document: what it says, if it is a JSON object at all.
        published: the Flow JSON that customers get.
        validation_errors: what is wrong with the last upload.
        sent: how often it was sent since it has its status.
    """

    id: str
    waba_id: str
    name: str
    categories: list[str]
    status: str = "DRAFT"
    endpoint_uri: str | None = None
    application_id: str | None = None
    text: str = ""
    document: JsonObject | None = None
    published: JsonObject | None = None
    validation_errors: list[JsonObject] = field(default_factory=list)
    sent: int = 0

    def become(self, status: str) -> str:
        """Take another status and return the one it had."""
        before, self.status = self.status, status
        self.sent = 0
        if status == "PUBLISHED":
            self.published = self.document
        return before
