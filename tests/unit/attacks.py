"""Attacks on what reads texts of others, each run in a process that may take only so much.

`python -m tests.unit.attacks` runs them all and writes a line of JSON for each.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from engine.domain.ids import TenantId
from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.spec.source import parse
from engine.templating.language import Language, TemplateProblem
from engine.verbs import all_verbs
from engine.whatsapp.flow_crypto import FlowKey
from engine.whatsapp.inbound import parse_webhook
from tests.unit.whatsapp.flow_client import FlowClient

MIB = 1024 * 1024
ROOM = 64 * MIB
"""What an attack may take beside what there is already."""
ROOM_SIGNED = 128 * MIB
"""What a body of Meta's may take: 3 MiB of empty lists are a million objects."""
SECONDS = 1.0

Attack = Callable[[], list[str]]
"""Runs an attack; gives the sentences that tell of it."""

LANGUAGE = Language({})
VALUES: dict[str, Any] = {
    "items": list(range(1000)), "long": "a" * 4000, "tenant": {"currency": "USD"},
    "locale": "en_US", "d": {"a": 1}, "s": "text",
}  # fmt: skip
TEMPLATES = {
    # Object traversal
    "class": "{{ s.__class__ }}",
    "mro": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "class by key": "{{ s['__class__']['__base__'] }}",
    "class by joined key": "{{ s['__cl' ~ 'ass__'] }}",
    "attr filter": "{{ s|attr('__class__') }}",
    "mapped attr": "{{ [s]|map(attribute='__class__')|first }}",
    "mapped attr filter": "{{ [s]|map('attr', '__class__')|first }}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "lipsum": "{{ lipsum.__globals__['os'].system('id') }}",
    "self": "{{ self._TemplateReference__context.environment }}",
    "import": "{% import 'os' as os %}{{ os }}",
    "include": "{% include '/etc/passwd' %}",
    "extends": "{% extends '/etc/passwd' %}",
    "format string": "{{ '{0.__class__.__mro__}'.format(s) }}",
    "format map": "{{ '{s.__class__}'.format_map(d) }}",
    "percent": "{{ '%s' % s }}",
    "method": "{{ s.upper() }}",
    "generator": "{{ (s|map('upper')).gi_frame.f_globals }}",
    "set": "{% set x = s %}{{ x.__class__ }}",
    "do": "{% do d.update(a=2) %}",
    "call block": "{% call s() %}{% endcall %}",
    "filter block": "{% filter upper %}{{ s.__class__ }}{% endfilter %}",
    "with": "{% with x = s %}{{ x.__class__ }}{% endwith %}",
    "trans": "{% trans %}a{% endtrans %}",
    "unicode name": "{{ s.__ｃlass__ }}",
    # Padding, powers, loops
    "multiplied": "{{ 'a' * 10**9 }}",
    "multiplied constant": "{{ 'a' * 1000000000 }}",
    "multiplied list": "{{ [0] * 1000000000 }}",
    "tower": "{{ 9**9**9 }}",
    "shifted": "{{ 1 << 9999999999 }}",
    "range": "{% for a in range(10**9) %}{% endfor %}",
    "ranged": "{{ range(1000000000)|list }}",
    "center": "{{ 'a'|center(1000000000) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "format width": "{{ '%999999999d'|format(1) }}",
    "wordwrap": "{{ s|wordwrap(1) }}",
    "batch": "{{ items|batch(1, 'x')|list|length }}",
    "slice": "{{ items|slice(1000000000)|list }}",
    "loops": "{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}",
    "three loops":
        "{% for a in items %}{% for b in items %}{% for c in items %}{% endfor %}{% endfor %}"
        "{% endfor %}",
    "recursive loop": "{% for a in items recursive %}{{ loop(items) }}{% endfor %}",
    "recursive macro": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "concatenated in a loop":
        "{% set x = 'a' %}{% for a in items %}{% set x = x ~ x %}{% endfor %}",
    "namespace": "{% set n = namespace(x='a') %}{% for a in items %}{% set n.x = n.x ~ n.x %}"
        "{% endfor %}",
    "concatenated": "{{ long" + " ~ long" * 500 + " }}",
    "replaced": "{{ long|replace('a', long) }}",
    "joined": "{{ items|join(long) }}",
    "sorted": "{% for a in items %}{% if items" + "|sort|reverse" * 30 + " %}{% endif %}"
        "{% endfor %}",
    "huge integer": "{{ " + "9" * 7900 + " }}",
    "hexadecimal": "{{ 0x" + "f" * 7900 + " }}",
    "exponent": "{{ '1e999999999'|money }}",
    "rounded": "{{ 1|round(999999999) }}",
    "nested brackets": "{{ " + "(" * 3900 + "1" + ")" * 3900 + " }}",
    "nested lists": "{{ " + "[" * 3900 + "]" * 3900 + " }}",
    "nested ifs": "{% if d %}" * 400 + "{% endif %}" * 400,
    "unclosed": "{{ " * 2600,
    "long": "{{ s }}" * 5000,
    "comments": "{#" * 4000,
    "raw": "{% raw %}" * 800,
}  # fmt: skip
MANY = 200_000
LAUGHS = "a: &a [x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)}\n  <<: [{', '.join(['*' + chr(97 + i)] * 9)}]\n"
    for i in range(20)
)
DOCUMENTS = {
    "billion laughs": LAUGHS,
    "merge bomb": MERGES,
    "alias to itself": "a: &a [*a]",
    "deep lists": "[" * MANY,
    "deep dashes": "- " * MANY,
    "deep maps": "{a: " * MANY,
    "deep indents": "".join(" " * n + "a:\n" for n in range(1500)),
    "many values": "- a\n" * MANY,
    "many keys": "".join(f"k{n}: a\n" for n in range(MANY // 2)),
    "many values in a line": "[" + "a," * MANY + "]",
    "complex keys": "? " * (MANY // 2),
    "anchors": "x: " + "&a " * (MANY // 2),
    "one key, often": "a: 1\n" * 10_000,
    "duplicate key": "a: 1\na: 2\n",
    "python object": "a: !!python/object/apply:os.system ['id']",
    "python name": "a: !!python/name:os.system",
    "binary": "a: !!binary R0lGODlhDAAMAIQAAP",
    "set": "a: !!set {b, c}",
    "own tag": "a: !ruby/object:Gem::Installer {}",
    "tag directive": "%TAG ! tag:yaml.org,2002:python/\n---\na: !object/apply:os.system [id]",
    "NUL": "a: b\0c",
    "written NUL": 'a: "b\\0c"',
    "written NUL in a key": '"a\\0": b',
    "bidi": "a: \u202eecart\u202c",
    "bidi isolate": "a: \u2066x\u2069",
    "written bidi": 'a: "\\u202ex"',
    "escape": "a: \x1b[2J",
    "half a character": 'a: "\\ud800"',
    "too large": "#" * (3 * MIB),
    "quotes": "'" * MANY + "'",
    "second document": "a: 1\n---\nb: 2\n" * 1000,
    "tabs": "a:\n\t- b\n",
}
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
BODIES = {
    "deep lists": b"[" * (3 * MIB),
    "deep objects": DEEP,
    "a million lists": b"[" + b"[]," * (MIB - 10) + b"[]]",
    "a million objects": b"[" + b"{}," * (MIB - 10) + b"{}]",
    "many keys": b"{" + b",".join(b'"%d":0' % n for n in range(250_000)) + b"}",
    "a long number": b"[" + b"9" * (3 * MIB - 10) + b"]",
    "a large exponent": b'{"object": 1e999999999}',
    "not a number": b'{"object": NaN}',
    "infinity": b'{"object": Infinity}',
    "half characters": b'["' + b"\\ud800" * 500_000 + b'"]',
    "invalid UTF-8": b'{"object": "\xff\xfe\xc0\xaf"}',
    "overlong UTF-8": b'{"object": "\xc0\x80"}',
    "UTF-16": '{"object": "x"}'.encode("utf-16"),
    "NUL": b"\x00" * MIB,
    "nothing": b"",
    "spaces": b" " * (3 * MIB),
    "a text without an end": b'"' + b"a" * (3 * MIB - 2),
    "backslashes": b'"' + b"\\" * (3 * MIB - 3) + b'"x',
    "many entries": b'{"object":"whatsapp_business_account","entry":['
        + b"{}," * 200_000 + b"{}]}",
}  # fmt: skip


def template(source: str) -> Attack:
    def run() -> list[str]:
        try:
            text = LANGUAGE.text(source, "shop.yaml:1:1")
            said = text.render(dict(VALUES))
        except TemplateProblem as problem:
            return [problem.sentence]
        except EngineError as error:
            return [str(error)]
        return [] if len(said) > 64_000 or "class" in said else ["nothing of it was done"]

    return run


def document(text: str) -> Attack:
    def run() -> list[str]:
        problems = Problems()
        parse(text, "shop.yaml", problems)
        return [str(problem) for problem in problems.sorted()]

    return run


def body(content: bytes) -> Attack:
    def run() -> list[str]:
        try:
            parse_webhook(content)
        except EngineError as error:
            return [str(error)]
        return []

    return run


def envelopes() -> Iterator[tuple[str, bytes]]:
    """Bodies of Flows in which a part has another size than it can have."""
    whole = FlowClient(KEY.public_pem).ask({"version": "3.0", "action": "ping"})
    for part in ("encrypted_flow_data", "encrypted_aes_key", "initial_vector"):
        for name, value in {
            "nothing": "", "a byte": "AA==", "a byte less": whole[part][:-4],
            "a byte more": whole[part][:-4] + "AAAAAAAA", "a MiB": "A" * MIB,
            "no base64": "é" * 64, "a number": 7, "none": None, "a list": [whole[part]],
        }.items():  # fmt: skip
            yield f"{part}, {name}", orjson.dumps({**whole, part: value})


KEY = FlowKey.generate()


def envelope(content: bytes) -> Attack:
    def run() -> list[str]:
        try:
            KEY.open(orjson.loads(content))
        except EngineError as error:
            return [str(error)]
        return []

    return run


def _shop(folder: Path, tenant: str = "shop") -> Path:
    for name in ("conversations", "flows"):
        (folder / name).symlink_to(read_settings().content() / name)
    shop = folder / "tenants" / tenant
    shop.mkdir(parents=True)
    shipped = read_settings().content() / "tenants/la-tavola/tenant.yaml"
    (shop / "tenant.yaml").write_text(shipped.read_text())
    return shop


def files(change: Callable[[Path], object], tenant: str = "shop") -> Attack:
    """An attack with files: what checking the tenant tells of it."""

    def run() -> list[str]:
        with tempfile.TemporaryDirectory() as folder:
            change(_shop(Path(folder), tenant))
            library, problems = Library(Path(folder), all_verbs()), Problems()
            for name in library.tenant_ids() or [TenantId(tenant)]:
                library.tenant(name, problems)
            return [str(problem) for problem in problems.sorted()]

    return run


def _large(shop: Path) -> None:
    with (shop / "tenant.yaml").open("wb") as file:
        file.truncate(100 * MIB)


def _linked(target: str) -> Callable[[Path], object]:
    def change(shop: Path) -> None:
        (shop / "tenant.yaml").unlink()
        (shop / "tenant.yaml").symlink_to(target)

    return change


def _pipe(shop: Path) -> None:
    (shop / "tenant.yaml").unlink()
    os.mkfifo(shop / "tenant.yaml")


def _chart(name: str) -> Callable[[Path], object]:
    def change(shop: Path) -> None:
        file = shop / "tenant.yaml"
        file.write_text(file.read_text() + f"\nchart: {json.dumps(name)}\n")

    return change


FILES = {
    "100 MB": files(_large),
    "a link to a device": files(_linked("/dev/zero")),
    "a link to itself": files(_linked("tenant.yaml")),
    "a link to a folder": files(_linked("/")),
    "a pipe": files(_pipe),
    "no text": files(lambda shop: (shop / "tenant.yaml").write_bytes(b"\xff\xfe\x00")),
    "a chart elsewhere": files(_chart("../../../etc/passwd")),
    "an absolute chart": files(_chart("/etc/passwd")),
    **{
        f"a tenant called {name!a}": files(lambda shop: None, name)
        for name in ("a:b", "..b", ".hidden", "-x", "a b", "a\nb", "\u202ea", "{{ 7 }}", "a" * 100)
    },
}
ATTACKS: dict[str, tuple[Attack, int]] = {
    **{f"template: {name}": (template(source), ROOM) for name, source in TEMPLATES.items()},
    **{f"document: {name}": (document(text), ROOM) for name, text in DOCUMENTS.items()},
    **{f"webhook: {name}": (body(content), ROOM_SIGNED) for name, content in BODIES.items()},
    **{f"flow: {name}": (envelope(content), ROOM) for name, content in envelopes()},
    **{f"file: {name}": (attack, ROOM) for name, attack in FILES.items()},
}


def contained(name: str) -> dict[str, Any]:
    """Run an attack in a process of its own, which is ended when it wants too much."""
    attack, room = ATTACKS[name]
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + room
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
        began = time.process_time()
        try:
            said, failed = attack(), ""
        except BaseException as error:  # noqa: BLE001 - what it was, is the finding
            said, failed = [], f"{type(error).__name__}: {error}"[:300]
        seconds = time.process_time() - began
        found = {"name": name, "said": said[:200], "failed": failed, "seconds": seconds}
        os.write(writing, json.dumps(found).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        written = pipe.read()
    _, status = os.waitpid(child, 0)
    if not written:
        return {"name": name, "said": [], "failed": f"it was ended: {status}", "seconds": 99.0}
    told: dict[str, Any] = json.loads(written)
    return told


if __name__ == "__main__":
    for each in ATTACKS:
        sys.stdout.write(json.dumps(contained(each)) + "\n")
