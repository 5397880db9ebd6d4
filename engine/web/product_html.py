"""A product as an HTML page, for people and for Meta's crawler; it fetches nothing.

What a shop writes is never trusted: texts are escaped, addresses are http(s) or left out.
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Final
from urllib.parse import quote

from engine.domain.catalog import Presentation
from engine.domain.tenant import Tenant
from engine.web.product_facts import ProductFacts, size_name


@dataclass(frozen=True, slots=True)
class Words:
    """The fixed words of a page in a language."""

    lower_bound: str
    sold_out: str
    order: str
    missing: str
    away: str


ENGLISH: Final = Words(
    lower_bound="from",
    sold_out="Sold out",
    order="Order on WhatsApp",
    missing="This product is not here",
    away="This page cannot be shown now. Please try again in a moment.",
)
WORDS: Final[Mapping[str, Words]] = {
    "en": ENGLISH,
    "es": Words(
        lower_bound="desde",
        sold_out="Agotado",
        order="Pedir por WhatsApp",
        missing="Este producto no está aquí",
        away="Ahora no podemos mostrar esta página. Inténtalo de nuevo en un momento.",
    ),
}

STYLE: Final = """
:root{color-scheme:light dark;--ground:#f4f3f0;--card:#fff;--ink:#1d1c1a;--faint:#6b6862;
--line:#e5e2dc;--mark:#e9f7ef}
@media(prefers-color-scheme:dark){:root{--ground:#141413;--card:#1f1e1d;--ink:#f2f0ec;
--faint:#a5a19a;--line:#34322f;--mark:#15301f}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif;
overflow-wrap:anywhere}
main{max-width:30rem;margin:0 auto;min-height:100vh;background:var(--card);padding-bottom:1.5rem}
img{display:block;width:100%;aspect-ratio:4/3;object-fit:cover;background:var(--line)}
main>:not(img){margin:1rem 1.25rem 0}
main>:first-child:not(img){margin-top:0;padding-top:1.5rem}
.shop{color:var(--faint);font-size:.9375rem}
main>h1{font-size:1.625rem;line-height:1.2;margin-top:.25rem}
main>.price{font-size:1.3125rem;font-weight:600;margin-top:.5rem}
small{font-size:.8125em;font-weight:400;color:var(--faint)}
.about{white-space:pre-line}
ul{list-style:none;padding:0;border:1px solid var(--line);border-radius:.75rem;overflow:hidden}
li{display:flex;justify-content:space-between;gap:1rem;padding:.75rem 1rem}
li+li{border-top:1px solid var(--line)}
li span+span{white-space:nowrap}
li[aria-current]{background:var(--mark);font-weight:600}
a{display:block;padding:.875rem;border-radius:.75rem;background:#128050;color:#fff;
text-align:center;font-weight:600;text-decoration:none}
a:focus-visible{outline:3px solid var(--ink);outline-offset:2px}
@media(min-width:34rem){main{min-height:0;margin:2rem auto;border-radius:1rem;overflow:hidden}}
"""
_STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; img-src https: http:; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of every page: no script at all, one style."""

# What would end a script element, or begin one, inside JSON.
_IN_SCRIPT: Final = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def product_page(facts: ProductFacts) -> str:
    """Write the page of a product."""
    words = _words(facts.tenant)
    about = f'<p class="about" dir="auto">{escape(facts.description)}</p>'
    parts = (
        facts.image and f'<img src="{escape(facts.image)}" alt="">',
        f'<p class="shop" dir="auto">{escape(facts.tenant.name)}</p>',
        f'<h1 dir="auto">{escape(facts.name)}</h1>',
        _price(facts, words),
        facts.description and about,
        _sizes(facts, words),
        _button(facts, words),
    )
    body = "\n".join(filter(None, parts))
    return _document(facts.tenant, facts.title, head="\n".join(_head(facts)), body=body)


def missing_page(tenant: Tenant | None) -> str:
    """Write the page that says that there is no such product, or no such shop."""
    return _notice(tenant, _words(tenant).missing)


def away_page(tenant: Tenant | None) -> str:
    """Write the page that says that it cannot be shown now."""
    return _notice(tenant, _words(tenant).away)


def _price(facts: ProductFacts, words: Words) -> str:
    bound = f"<small>{words.lower_bound}</small> " if facts.is_lowest_price else ""
    gone = f" <small>{words.sold_out}</small>" if facts.is_sold_out(facts.chosen) else ""
    return f'<p class="price">{bound}{escape(facts.money(facts.price))}{gone}</p>'


def _sizes(facts: ProductFacts, words: Words) -> str:
    rows = "\n".join(_size(facts, size, words) for size in facts.product.presentations)
    return f"<ul>\n{rows}\n</ul>" if rows else ""


def _size(facts: ProductFacts, size: Presentation, words: Words) -> str:
    current = ' aria-current="true"' if size is facts.chosen else ""
    told = facts.money(size.price) if size.is_available else words.sold_out
    name = f'<span dir="auto">{escape(size_name(size))}</span>'
    return f"<li{current}>{name}<span>{escape(told)}</span></li>"


def _button(facts: ProductFacts, words: Words) -> str:
    digits = re.sub(r"[^0-9]", "", facts.tenant.phone)
    if not digits:
        return ""
    text = quote(facts.title, safe="")
    link = f"https://wa.me/{digits}?text={text}"
    return f'<a href="{escape(link)}" rel="noopener">{words.order}</a>'


def _head(facts: ProductFacts) -> Iterator[str]:
    """Give what crawlers read: Open Graph, and schema.org as JSON."""
    if facts.description:
        yield f'<meta name="description" content="{escape(facts.description)}">'
    for name, content in facts.properties():
        if content:
            yield f'<meta property="{name}" content="{escape(content)}">'
    linked = json.dumps(facts.linked(), ensure_ascii=False).translate(_IN_SCRIPT)
    yield f'<script type="application/ld+json">{linked}</script>'


def _notice(tenant: Tenant | None, sentence: str) -> str:
    shop = f'<p class="shop" dir="auto">{escape(tenant.name)}</p>\n' if tenant else ""
    body = f"{shop}<h1>{sentence}</h1>"
    return _document(tenant, sentence, head='<meta name="robots" content="noindex">', body=body)


def _document(tenant: Tenant | None, title: str, *, head: str, body: str) -> str:
    language = tenant.languages[0] if tenant else "en"
    whole = f"{title} · {tenant.name}" if tenant else title
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(whole)}</title>
{head}
<style>{STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _words(tenant: Tenant | None) -> Words:
    return WORDS.get(tenant.languages[0], ENGLISH) if tenant else ENGLISH
