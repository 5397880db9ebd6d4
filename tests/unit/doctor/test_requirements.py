"""Every item of the production checklist and of troubleshooting is asked by a check."""

import pytest

from engine.doctor.checks import ALL

ASKED = {
    # Production checklist
    "META_APP_SECRET": ["environment.app_secret"],
    "META_WEBHOOK_VERIFY_TOKEN": ["environment.verify_token"],
    "ENCRYPTION_SECRET": ["environment.encryption_secret"],
    "MongoDB connection string": ["environment.database", "database.reachable"],
    "MongoDB indexes": ["database.indexes"],
    "Meta app with WhatsApp, its id and secret": ["access.valid", "webhook.signature"],
    "webhook URL": ["environment.public_url", "webhook.ready"],
    "subscribed to webhook fields": ["webhook.subscribed", "webhook.fields"],
    "webhook verification": ["webhook.verification"],
    "products": ["menu.products"],
    "categories": ["menu.categories"],
    "presentations": ["menu.presentations"],
    "modifiers": ["menu.modifiers"],
    "businesses with Meta's credentials": [
        "business.document", "business.numbers", "business.account", "business.portfolio",
        "business.token",
    ],
    "catalog browsing": ["menu.products", "content.files"],
    "customization Flow": ["flows.deployed", "flows.endpoint"],
    "webhook delivery": ["webhook.signature", "webhook.subscribed"],
    "catalog sync": ["catalogs.sync"],
    "what waits and what failed": ["backlog.inbox", "backlog.outbox", "backlog.unsent"],
    # Catalog not showing
    "isActive and isAvailable": ["menu.products"],
    "subDomain": ["menu.spelling", "business.document"],
    # Flow not opening
    "fbFlowMapping": ["flows.deployed"],
    "Flow endpoint": ["flows.endpoint"],
    "Flow key": ["flows.key", "flows.registered"],
    "access token is valid": ["access.valid", "access.expiry"],
    # Sync failing
    "fbBusinessId": ["business.portfolio"],
    "catalog_management": ["access.permissions"],
    "required fields": ["menu.fields"],
    "a catalog for the category": ["catalogs.mapping", "catalogs.there"],
    # Webhook not receiving events
    "verify token as at Meta": ["webhook.verification"],
    "signature": ["webhook.signature"],
    # Cart not persisting
    "TTL index": ["database.indexes", "database.ttl"],
}  # fmt: skip


@pytest.mark.parametrize("item", ASKED)
def test_there_is_a_check(item):
    assert set(ASKED[item]) <= set(ALL.checks)
