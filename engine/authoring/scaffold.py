"""The files of a new tenant: small, complete, and in the words of its first language.

They are in `new_tenant/`, with `$name` for what differs. Nothing of the engine is needed to read
them, and what they mean is checked by whoever writes them.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import orjson
from pydantic import ValidationError

from engine.domain.tenant import Tenant
from engine.errors import EngineError

BLANKS = Path(__file__).parent / "new_tenant"
LANGUAGES = tuple(sorted(f.stem.removeprefix("messages.") for f in BLANKS.glob("messages.*")))
"""The languages that a new tenant can begin with; others want translations first."""
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 40
"""Letters of a tenant's name: it is part of addresses and keys."""


@dataclass(frozen=True, slots=True)
class NewTenant:
    """What is known of a shop before its files are written.

    Args:
        id: the name of its folder.
        name: what customers call it.
        languages: the first one is that of its menu, too.
    """

    id: str
    name: str
    languages: tuple[str, ...]
    country: str
    currency: str
    time_zone: str


def files_of(new: NewTenant) -> Mapping[str, str]:
    """Make the files of a new tenant, by their paths in its folder.

    Raises:
        EngineError: something of it cannot be so; the sentence says what.
    """
    _require(new)
    first = new.languages[0]
    chosen = {
        "tenant.yaml": "tenant.yaml",
        "catalog.yaml": f"catalog.{first}.yaml",
        "dialogs/first_order.yaml": f"dialog.{first}.yaml",
        **{f"messages/storefront.{one}.yaml": f"messages.{one}.yaml" for one in new.languages},
    }
    words = {
        "name": _quoted(new.name),
        "languages": f"[{', '.join(new.languages)}]",
        "country": _quoted(new.country),
        "currency": _quoted(new.currency),
        "time_zone": _quoted(new.time_zone),
        "number": _number(new.id),
    }
    return {
        path: Template((BLANKS / blank).read_text(encoding="utf-8")).substitute(words)
        for path, blank in chosen.items()
    }


def _require(new: NewTenant) -> None:
    if not NAME.fullmatch(new.id) or len(new.id) > LONGEST:
        raise EngineError(
            f"'{new.id}' cannot be a tenant's name: it has small letters, digits and single "
            f"hyphens, begins with a letter, and is at most {LONGEST} long, such as 'my-place'"
        )
    for language in new.languages:
        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise EngineError(
                f"there are no shared texts in '{language}', only in {known}: begin with one of "
                "them, and add the language when its messages are translated"
            )
    if not new.name.isprintable():
        raise EngineError("the name of the shop cannot have line breaks or control characters")
    for sentence in _refused(new):
        raise EngineError(sentence)


def _refused(new: NewTenant) -> Iterator[str]:
    """Tell what a tenant's settings do not take, by the options' names."""
    try:
        Tenant.model_validate(
            {
                "name": new.name,
                "languages": new.languages,
                "country": new.country,
                "currency": new.currency,
                "time_zone": new.time_zone,
                "phone_number_ids": [_number(new.id)],
                "pickup": {},
                "payment_methods": {"cash": {"name": "Cash", "kind": "cash"}},
            }
        )
    except ValidationError as error:
        for found in error.errors(include_input=False):
            option = str(found["loc"][0]).replace("_", "-")
            said = found["msg"].removeprefix("Value error, ")
            yield f"--{option}: {said[0].lower()}{said[1:]}"


def _quoted(text: str) -> str:
    """Write a text so that YAML reads it as it is."""
    return orjson.dumps(text).decode()


def _number(tenant: str) -> str:
    """Make up the id of a WhatsApp number, another one for each tenant."""
    digest = hashlib.blake2s(tenant.encode(), digest_size=8).digest()
    return f"1{int.from_bytes(digest) % 10**14:014d}"


def write(tenants: Path, new: NewTenant) -> tuple[str, ...]:
    """Write the files of a new tenant; all of them or none.

    Args:
        tenants: the folder of all tenants.

    Returns:
        The paths written, from the tenant's folder.

    Raises:
        EngineError: there is such a tenant already, or it cannot be written.
    """
    files = files_of(new)
    folder = tenants / new.id
    if folder.exists():
        raise EngineError(f"there is '{folder}' already: choose another name, or delete it first")
    try:
        tenants.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=tenants.parent, prefix=".new-") as held:
            made = Path(held) / new.id
            for path, text in files.items():
                (made / path).parent.mkdir(parents=True, exist_ok=True)
                (made / path).write_text(text, encoding="utf-8")
            made.rename(folder)
    except OSError as error:
        raise EngineError(f"'{folder}' cannot be written: {error.strerror}") from error
    return tuple(files)
