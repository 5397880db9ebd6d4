"""The product pages: what people and crawlers read, and that no text of a shop becomes HTML."""

import json
from base64 import b64encode
from dataclasses import replace
from decimal import Decimal
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from engine.domain.catalog import Presentation, Product
from engine.domain.ids import CategoryId, PresentationId, ProductId
from engine.errors import EngineError, Unavailable
from engine.serving import serving
from engine.sync.item import Item, items_of
from engine.sync.ports import Sellable
from engine.web.product_page import ProductPages
from tests.unit.actions.shop import bundle

TAVOLA = bundle("la-tavola").tenant
LUCHA = bundle("dona-lucha").tenant
IMAGE = "https://images.example.com/margherita.jpg?w=1&h=2"
PIZZA = Product(
    id=ProductId("prod:margherita"),
    name="Margherita",
    category_id=CategoryId("cat:pizza"),
    category="Pizza",
    base_price=Decimal("12.50"),
    description="Tomato & basil.\nFrom the oven.",
    image_url=IMAGE,
)
SMALL, LARGE = (
    Presentation(PresentationId(f"pres:{name}"), name.title(), Decimal(price))
    for name, price in (("small", 10), ("large", 14))
)
SIZED = replace(PIZZA, base_price=Decimal(0), presentations=(LARGE, SMALL))
URL = "https://shop.example"
HOSTILE = [
    "<script>alert(1)</script>", "</title><img src=x onerror=alert(1)>", "\"><b>'", "&lt;&amp;",
    "]]></script><!--", "{{ 7*7 }}", "مارغريتا", "🍕", "👩‍👩‍👧", "\u202eevil", "a/b/../c",
    "50%25 %2e%2e ?#", "x" * 5000, " ", "\x00", "\u2028",
]  # fmt: skip


class Catalog:
    """One product, or an error: `engine.ports.CatalogRepository`, as far as a page asks it."""

    def __init__(self, product, error):
        self.product = product
        self.error = error

    async def get_product_by_id(self, product_id):
        if self.error:
            raise self.error
        return self.product if product_id == self.product.id else None


def app(product=PIZZA, *, tenant=TAVOLA, error=None, public_url=f"{URL}/"):
    catalog: Any = Catalog(product, error)
    pages = ProductPages(
        tenants=lambda name: tenant if name == "shop" else None,
        catalogs=lambda _: catalog,
        public_url=public_url,
    )
    return Starlette(routes=pages.routes())


async def get(product=PIZZA, *, path=None, query="", method="GET", **more):
    path = path or f"/p/shop/{quote(product.id, safe='')}"
    transport = httpx.ASGITransport(app(product, **more))
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as http:
        return await http.request(method, path + query)


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    def __init__(self, answer):
        super().__init__()
        self.tags: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.attributes: dict[str, list[dict[str, str | None]]] = {}
        self.meta: dict[str | None, str | None] = {}
        self.rows: list[list[bool | str]] = []
        self.open: list[str] = []
        self.feed(answer.text)
        self.linked = json.loads("".join(self.texts.get("script", ["{}"])))

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.tags.append(tag)
        self.attributes.setdefault(tag, []).append(known)
        self.meta[known.get("property") or known.get("name")] = known.get("content")
        if tag == "li":
            self.rows.append([known.get("aria-current") is not None])
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data)
            if "li" in self.open:
                self.rows[-1].append(data)

    def text(self, tag):
        return " ".join(self.texts.get(tag, []))

    @property
    def link(self):
        return self.attributes["a"][0]["href"]


async def test_a_product_is_shown():
    page = Page(await get())
    assert page.attributes["html"] == [{"lang": "en"}]
    assert page.text("title") == "Margherita · La Tavola"
    assert page.text("h1") == "Margherita"
    assert page.texts["p"] == ["La Tavola", "$12.50", "Tomato & basil.\nFrom the oven."]
    assert page.attributes["img"] == [{"src": IMAGE, "alt": ""}]
    assert page.text("a") == "Order on WhatsApp"
    assert page.rows == []


async def test_the_button_opens_the_chat_with_the_products_name():
    page = Page(await get(replace(PIZZA, name="Ñoquis & <más> #1")))
    link = urlsplit(page.link)
    digits = "".join(sign for sign in TAVOLA.phone if sign.isdigit())
    assert (link.scheme, link.netloc, link.path) == ("https", "wa.me", f"/{digits}")
    assert parse_qs(link.query) == {"text": ["Ñoquis & <más> #1"]}


@pytest.mark.parametrize("phone", ["", "call us"])
async def test_without_a_phone_there_is_no_button(phone):
    tenant = TAVOLA.model_copy(update={"phone": phone})
    assert "a" not in Page(await get(tenant=tenant)).tags


async def test_crawlers_are_told_what_meta_has():
    page = Page(await get(SIZED, query="?size=pres:large"))
    sellable = Sellable(SIZED.id, SIZED, SIZED.category_id, "1")
    item, _ = items_of(sellable, tenant=TAVOLA, links=f"{URL}/p/shop/")
    assert isinstance(item, Item)
    meta, fields = page.meta, item.fields
    assert meta["og:type"] == "product"
    assert meta["og:url"] == fields["link"]
    assert meta["og:title"] == fields["title"]
    assert meta["og:description"] == meta["description"] == fields["description"]
    assert meta["og:image"] == IMAGE
    assert meta["product:retailer_item_id"] == item.item
    assert meta["product:item_group_id"] == fields["item_group_id"]
    assert f"{meta['product:price:amount']} {meta['product:price:currency']}" == fields["price"]
    assert meta["product:availability"] == fields["availability"]
    assert meta["product:condition"] == fields["condition"]
    assert meta["product:brand"] == fields["brand"]
    offer = page.linked["offers"]
    assert (page.linked["@type"], page.linked["sku"]) == ("Product", item.item)
    assert (offer["price"], offer["priceCurrency"]) == ("14.00", "USD")
    assert offer["availability"] == "https://schema.org/InStock"


async def test_the_lowest_price_stands_for_all_sizes():
    page = Page(await get(SIZED))
    assert page.texts["p"][1:2] == [" $10.00"]
    assert page.text("small") == "from"
    assert page.rows == [[False, "Large", "$14.00"], [False, "Small", "$10.00"]]
    assert page.meta["product:price:amount"] == "10.00"
    assert page.meta["product:retailer_item_id"] == "prod:margherita"
    assert [(o["sku"], o["price"]) for o in page.linked["offers"]] == [
        ("prod:margherita|pres:large", "14.00"),
        ("prod:margherita|pres:small", "10.00"),
    ]


async def test_one_size_is_marked():
    page = Page(await get(SIZED, query="?size=pres%3Alarge"))
    assert page.rows == [[True, "Large", "$14.00"], [False, "Small", "$10.00"]]
    assert page.text("small") == ""
    assert page.text("h1") == "Margherita"
    assert parse_qs(urlsplit(page.link).query) == {"text": ["Margherita (Large)"]}


@pytest.mark.parametrize("query", ["?size=", "?size=pres:none", "?size=%00", "?size=<b>", "?x=1"])
async def test_a_size_that_is_not_there_is_none(query):
    assert (await get(SIZED, query=query)).text == (await get(SIZED)).text


@pytest.mark.parametrize(
    ("changes", "query", "is_gone"),
    [
        ({}, "", False),
        ({"is_available": False}, "", True),
        ({"stock": 0}, "", True),
        ({"stock": 1}, "", False),
        ({"presentations": (LARGE, replace(SMALL, is_available=False))}, "", False),
        ({"presentations": (LARGE, replace(SMALL, is_available=False))}, "?size=pres:small", True),
        ({"presentations": (replace(SMALL, is_available=False),)}, "", True),
    ],
)
async def test_what_is_sold_out_says_so(changes, query, is_gone):
    page = Page(await get(replace(PIZZA, **changes), query=query))
    assert page.meta["product:availability"] == ("out of stock" if is_gone else "in stock")
    assert ("Sold out" in page.text("small")) == is_gone


async def test_a_product_of_which_every_size_is_sold_out_keeps_its_price():
    gone = tuple(replace(size, is_available=False) for size in (LARGE, SMALL))
    page = Page(await get(replace(SIZED, presentations=gone)))
    assert page.meta["product:price:amount"] == "10.00"
    assert page.rows == [[False, "Large", "Sold out"], [False, "Small", "Sold out"]]


async def test_sizes_of_one_price_have_no_lowest_one():
    page = Page(await get(replace(SIZED, presentations=(SMALL,))))
    assert "small" not in page.tags


async def test_the_page_is_in_the_tenants_first_language():
    page = Page(await get(SIZED, tenant=LUCHA))
    assert page.attributes["html"] == [{"lang": "es"}]
    assert (page.text("small"), page.text("a")) == ("desde", "Pedir por WhatsApp")
    assert page.rows[0] == [False, "Large", "S/ 14.00"]
    french = TAVOLA.model_copy(update={"languages": ("fr", "es"), "country": "FR"})
    page = Page(await get(tenant=french))
    assert page.attributes["html"] == [{"lang": "fr"}]
    assert page.text("a") == "Order on WhatsApp"


@pytest.mark.parametrize(
    "url",
    [None, "", "javascript:alert(1)", "data:image/png;base64,AA", "//x.example/a", "/a.jpg",
     "https://", "http://[", 7, {"url": IMAGE}, "ftp://x.example/a"],
)  # fmt: skip
async def test_an_image_that_is_no_web_address_is_left_out(url):
    page = Page(await get(replace(PIZZA, image_url=url)))
    assert "img" not in page.tags
    assert "og:image" not in page.meta
    assert "image" not in page.linked


@pytest.mark.parametrize("text", HOSTILE)
async def test_no_text_of_a_shop_becomes_html(text):
    tags = Page(await get(SIZED, query="?size=pres:large")).tags
    size = Presentation(PresentationId(text), text, Decimal(10))
    product = replace(
        PIZZA, id=ProductId(text), name=f"n{text}", description=f"d{text}",
        image_url=f"https://x.example/{text}", presentations=(size, LARGE),
    )  # fmt: skip
    tenant = TAVOLA.model_copy(update={"name": f"t{text}"})
    answer = await get(product, tenant=tenant, query=f"?size={quote(text, safe='')}")
    page = Page(answer)
    assert answer.status_code == 200
    assert page.tags == tags
    assert page.linked["name"].startswith(f"n{text}".strip())
    assert page.meta["og:site_name"] == f"t{text}"


@settings(max_examples=100, deadline=None)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1),
    description=st.text(st.characters(exclude_categories=["Cs"])) | st.integers() | st.none(),
)
async def test_any_text_can_be_shown(name, description):
    product = replace(PIZZA, name=name, description=description)
    answer = await get(product)
    assert answer.status_code == (200 if name.strip() else 404)
    assert "script" not in Page(answer).tags or Page(answer).linked["productID"] == PIZZA.id


@pytest.mark.parametrize("name", [None, "", "  ", ["a"], {"es": "Pizza"}])
async def test_a_product_that_cannot_be_named_is_not_shown(name):
    assert (await get(replace(PIZZA, name=name))).status_code == 404


async def test_what_the_other_back_end_left_as_a_number_is_shown():
    odd: Any = {"id": 5, "name": 33}
    size = replace(SMALL, **odd)
    odd = {"name": 1906, "description": 7, "presentations": (size, LARGE)}
    page = Page(await get(replace(PIZZA, **odd)))
    assert (page.text("h1"), page.rows[0]) == ("1906", [False, "33", "$10.00"])


@pytest.mark.parametrize(
    "path", ["/p/nobody/prod:margherita", "/p/shop/prod:none", "/p/shop/", "/p/shop/<script>"]
)
async def test_what_is_not_there_is_not_found_and_looks_the_same(path):
    answer = await get(path=path)
    page = Page(answer)
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert page.text("h1") == "This product is not here"
    assert page.meta["robots"] == "noindex"
    assert page.texts["style"] == Page(await get()).texts["style"]
    assert "<script" not in answer.text


@pytest.mark.parametrize(("error", "status"), [(Unavailable("no"), 503), (EngineError("no"), 500)])
async def test_a_database_that_is_away_is_told_without_its_words(error, status):
    answer = await get(error=error, tenant=LUCHA)
    assert answer.status_code == status
    assert Page(answer).text("h1").startswith("Ahora no podemos")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [None, "/p/shop/none", "/p/nobody/none"])
async def test_the_headers_let_nothing_run(path):
    answer = await get(path=path)
    (style,) = Page(answer).texts["style"]
    told = b64encode(sha256(style.encode()).digest()).decode()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{told}'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_page_may_be_kept_for_a_while():
    assert (await get()).headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("public_url", ["", URL])
async def test_the_pages_own_address_is_the_one_the_world_knows(public_url):
    page = Page(await get(public_url=public_url))
    told = f"{URL}/p/shop/prod%3Amargherita" if public_url else None
    assert page.meta.get("og:url") == page.linked.get("url") == told


@pytest.mark.parametrize("product_id", ["a/b", "/a//b/", "50%", "%2F", "?a=b#c", "prod:ñ 🍕"])
async def test_an_id_of_any_characters_comes_through_a_real_server(product_id):
    product = replace(PIZZA, id=ProductId(product_id))
    path = f"/p/shop/{quote(product_id, safe='')}"
    async with serving(app(product)) as url, httpx.AsyncClient(base_url=url) as http:
        answer = await http.get(path)
        head = await http.head(path)
    assert answer.status_code == 200
    assert Page(answer).meta["product:retailer_item_id"] == product_id
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == answer.headers["content-length"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_only_looking(method):
    assert (await get(method=method)).status_code == 405
