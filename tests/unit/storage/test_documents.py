"""The shape of the trade on disk: its indexes, and that what is written has it."""

import pytest

from engine.clock import ManualClock
from engine.storage.businesses import MongoBusinesses
from engine.storage.documents import (
    BusinessDocument,
    CartDocument,
    CategoryDocument,
    ModifierDocument,
    OrderDocument,
    PresentationDocument,
    ProductDocument,
    on_disk,
)
from engine.storage.seeding import seed
from tests.unit.storage.builders import (
    COKE,
    MARGHERITA,
    NOW,
    PIZZERIA,
    TENANT,
    cart,
    inbox_row,
    menu,
    order,
    turn,
)
from tests.unit.storage.shapes import assert_has_the_shape, indexes

UNIQUE = {"unique": True}

# Section 5 of the design, and "MongoDB Indexes" of the requirements, word for word; and what the
# sync needs to walk over products and to know whose a catalogue is.
DESIGN = {
    BusinessDocument: {
        "whatsappPhoneNumberIds whatsappEnabled isActive": {},
        "subDomain": UNIQUE,
        "wabaId": {},
        "fbBusinessId": {},
    },
    CategoryDocument: {"rId subDomain": {}, "subDomain isActive sortOrder": {}},
    ProductDocument: {
        "rId subDomain": {},
        "subDomain categoryId isActive": {},
        "subDomain isAvailable sortOrder": {},
        "subDomain categoryId rId": {},
        "subDomain rId _id": {},
    },
    PresentationDocument: {"rId subDomain": {}},
    ModifierDocument: {"rId subDomain": {}},
    CartDocument: {"sessionId subDomain": UNIQUE, "expiresAt": {"expireAfterSeconds": 0}},
    OrderDocument: {
        "orderNumber": UNIQUE,
        "subDomain status -createdAt": {},
        "conversationId": {},
        "customer.phone": {},
        "followed.isOpen createdAt": {"partialFilterExpression": {"followed.isOpen": True}},
    },
}


@pytest.mark.parametrize("document", DESIGN)
async def test_the_indexes_are_those_of_the_design(database, document):
    assert await indexes(database, document) == DESIGN[document]


async def test_what_is_written_has_the_shape_of_its_document(database, store, inbox, vault):
    await seed(database, PIZZERIA, TENANT, menu(), vault=vault, access_token="EAAG")
    businesses = MongoBusinesses(database, vault=vault, clock=ManualClock(NOW))
    stored = await businesses.by_tenant(PIZZERIA)
    assert stored is not None
    await businesses.save(stored)
    await inbox.accept([inbox_row()])
    await store.commit(turn(cart=cart(MARGHERITA, COKE), orders=(order(),)))
    for document in DESIGN:
        await assert_has_the_shape(database, document)


def test_names_on_disk_are_the_back_ends():
    assert on_disk("r_id") == "rId"
    assert on_disk("whatsapp_phone_number_ids") == "whatsappPhoneNumberIds"
    assert on_disk("id") == "_id"
