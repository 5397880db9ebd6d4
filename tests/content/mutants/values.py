"""Wrong values in a tenant's settings and its catalog."""

import re
from collections.abc import Callable, Mapping

from tests.content.mutants.mutant import Made, Mutant
from tests.content.mutants.page import Page, Part
from tests.content.mutants.roles import Role, kind_of

_TENANT: Mapping[str, tuple[str, ...]] = {
    r"name": ('""',),
    r"languages": ("[]",),
    r"languages\.\d+": ("english", "EN", "xx"),
    r"country": ("Peru", "us"),
    r"currency": ("SOL", "usd", "$"),
    r"time_zone": ("Lima", "America/Limma", "UTC-5"),
    r"phone_number_ids": ("[]",),
    r"hours\.\w+\.\d+": ('"12:00"', '"12:00-25:00"', '"12-16"', '"12:00 - 16:00"'),
    r"delivery\.(fee|minimum_order|free_from)": ("-1", "free", '"S/ 6"'),
    r"(delivery|pickup)\.estimate\.minimum": ("-5", "999", "soon"),
    r"(delivery|pickup)\.estimate\.maximum": ("1", "soon"),
    r"tax\.rate": ("-1", "1800", "18%"),
    r"tax\.(included|on_delivery)": ("yes", "maybe"),
    r"payment_methods": ("{}",),
    r"payment_methods\.\w+\.kind": ("money", "Cash"),
    r"payment_methods\.\w+\.name": ('""', "{fr: Espèces}"),
    r"catalog\.mode": ("both", "Single"),
}
_CATALOG: Mapping[str, tuple[str, ...]] = {
    r"groups\.[^.]+\.minimum": ("9", "-1", "some"),
    r"groups\.[^.]+\.maximum": ("0", "99"),
    r"(products|groups)\..+\.price": ("-1", "free", '"$5"', "99999999"),
    r"products\.[^.]+\.category": ("cat:nothing", "pizza"),
    r"products\.[^.]+\.groups\.\d+": ("group:nothing", "toppings"),
    r"products\.[^.]+\.image": ("picture.jpg",),
    r"products\.[^.]+\.stock": ("-1", "few"),
    r"(products|categories|groups)\..+\.available": ("yes",),
    r"(products|categories|groups)\..+\.name": ('""', f'"{"Long " * 30}"'),
}
_NEEDED = (
    "name",
    "languages",
    "country",
    "currency",
    "time_zone",
    "phone_number_ids",
    "price",
    "category",
    "payment_methods",
    "kind",
    "modifiers",
    "categories",
    "minimum",
    "maximum",
)


def _values(page: Page, roles: list[Role]) -> Made:
    kind = kind_of(page.file)
    table = {"tenant": _TENANT, "catalog": _CATALOG}.get(kind, {})
    for part in page.parts.values():
        path = ".".join(map(str, part.path))
        for pattern, wrong in table.items():
            if not re.fullmatch(pattern, path):
                continue
            for other in wrong:
                if other != page.raw(part):
                    yield _wrong(page, part, other)
            break


def _wrong(page: Page, part: Part, other: str) -> Mutant:
    owner = page.at(*part.path[:-1])
    also = (owner.line, part.value_line) if owner else (part.value_line,)
    mapping = kind_of(page.file)
    return Mutant(
        f"wrong-value-in-{mapping}",
        page.file,
        part.line,
        page.with_value(part, other),
        f"{'.'.join(map(str, part.path))}: {other[:30]}",
        "wrong",
        also=also,
    )


def _ids(page: Page, roles: list[Role]) -> Made:
    if kind_of(page.file) != "catalog":
        return
    for part in page.parts.values():
        if part.key is None or ":" not in part.name:
            continue
        bare = part.name.partition(":")[2]
        yield Mutant(
            "id-without-prefix",
            page.file,
            part.line,
            page.with_key(part, bare),
            f"{part.name} -> {bare}",
            "wrong",
            names=(part.name,),
        )


def _needed(page: Page, roles: list[Role]) -> Made:
    kind = kind_of(page.file)
    if kind not in ("tenant", "catalog"):
        return
    for role in roles:
        part = role.part
        if part.name in _NEEDED:
            yield Mutant(
                f"deleted-in-{kind}",
                page.file,
                part.line,
                page.without(part),
                f"- {'.'.join(map(str, part.path))}",
                "choice",
                names=(part.name,),
                also=page.around(part),
            )
    for part in page.parts.values():
        if part.key is not None and ":" in part.name and len(part.path) == 2:
            yield Mutant(
                f"deleted-in-{kind}",
                page.file,
                part.line,
                page.without(part),
                f"- {part.name}",
                "choice",
                names=(part.name,),
            )


VALUES: Mapping[str, Callable[[Page, list[Role]], Made]] = {
    "wrong-value": _values,
    "id-without-prefix": _ids,
    "deleted-in-settings": _needed,
}
