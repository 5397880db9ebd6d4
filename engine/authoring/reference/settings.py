"""The settings as a table in a page, between two comments; the page's other lines stay."""

from pathlib import Path
from typing import Final

from pydantic import SecretStr

from engine.errors import EngineError
from engine.settings import Settings

BEGIN: Final = "<!-- settings: written by `comanda reference` -->"
END: Final = "<!-- /settings -->"


def settings_table() -> str:
    """Write the settings: name, default, what it is; secrets are marked."""
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        is_secret = field.annotation is SecretStr
        default = "" if is_secret else _shown(field.default)
        said = _escaped(field.description or "")
        lines.append(f"| `{name.upper()}` | {default} | {'🔒 ' if is_secret else ''}{said} |")
    return "\n".join(lines)


def with_settings(page: str, *, named: str) -> str:
    """Give a page with the table as it must be now.

    Args:
        named: the page, for the error.

    Raises:
        EngineError: it has not the two comments, once each and in their order.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after or END in before:
        raise EngineError(f"{named}: the settings' table stands between '{BEGIN}' and '{END}'")
    return f"{before}{BEGIN}\n\n{settings_table()}\n\n{END}{after}"


def page_of(content: Path) -> Path | None:
    """Find the page with the settings beside a content folder; a content alone has none."""
    page = content / "README.md"
    is_there = page.is_file() and BEGIN in page.read_text(encoding="utf-8")
    return page if is_there else None


def _shown(default: object) -> str:
    if default is None or default == "":
        return ""
    told = str(default).lower() if isinstance(default, bool) else str(default)
    return f"`{told}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
