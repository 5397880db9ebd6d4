"""The smallest sync: it knows that every product can be sent, that Meta agrees and nothing breaks.

It makes the same items as the engine, and decides nothing; it could not go on after an accident.
"""

import gc
from collections.abc import Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import orjson

from engine.domain.ids import ProductId
from engine.sync.ports import Sellable
from tests.bench.sync_shop import NAME, PUBLIC_URL, TENANT, Aside, Menu

PAGE = 1000
BATCH = 3000

Json = dict[str, Any]


class HandwrittenSync:
    """The loop, and the digests of what it has sent."""

    def __init__(self, products: int) -> None:
        self.aside = Aside()
        self.menu = Menu(products, self.aside)
        self.items = 0
        self._digests: dict[str, bytes] = {}

    async def walk(self) -> float:
        """Go over everything, and send what differs; give the seconds of CPU it takes."""
        gc.collect()
        begin = self.aside.rest()
        requests: list[Json] = []
        after: ProductId | None = None
        while page := await self.menu.page(None, after=after, limit=PAGE):
            for sellable in page:
                for fields in fields_of(sellable):
                    digest = sha256(orjson.dumps(fields)).digest()
                    if self._digests.get(fields["id"]) != digest:
                        self._digests[fields["id"]] = digest
                        requests.append({"method": "UPDATE", "data": fields})
                    if len(requests) == BATCH:
                        self._send(requests)
                        requests = []
            after = page[-1].id
        self._send(requests)
        return self.aside.rest() - begin

    def _send(self, requests: list[Json]) -> None:
        orjson.dumps({"allow_upsert": True, "requests": requests})
        self.items += len(requests)


def fields_of(sellable: Sellable) -> Iterator[Json]:
    """Make the items of a product."""
    product = sellable.product
    assert product is not None
    fields = {
        "id": product.id,
        "title": product.name,
        "description": product.description,
        "condition": "new",
        "availability": "in stock",
        "price": f"{product.base_price:.2f} USD",
        "image": [{"url": product.image_url, "tag": []}],
        "brand": NAME,
        "product_type": product.category,
        "custom_label_0": product.category_id,
        "link": f"{PUBLIC_URL}/p/{TENANT}/{quote(product.id, safe='')}",
    }
    if not product.presentations:
        yield fields
    for size in product.presentations:
        yield {
            **fields,
            "id": f"{product.id}|{size.id}",
            "title": f"{product.name} ({size.name})",
            "price": f"{size.price:.2f} USD",
            "link": f"{fields['link']}?size={quote(size.id, safe='')}",
            "item_group_id": product.id,
            "size": size.name,
        }
