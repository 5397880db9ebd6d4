"""The Flow JSON that each tenant's Flows are deployed as, in each language, as Meta gets it.

A changed snapshot is a Flow that is uploaded and published anew: read it, then run
`pytest tests/content/test_flow_json.py --snapshot-update`.
"""

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from engine.domain.ids import TenantId
from engine.flows.rehearsal import compile_flows, misfits
from engine.spec.library import Library
from engine.spec.problems import Problems
from engine.verbs import all_verbs
from tests.content.conftest import ROOT

LIBRARY = Library(ROOT, all_verbs())
TENANTS = LIBRARY.tenant_ids()


class FlowJsonFile(SingleFileSnapshotExtension):
    """A JSON file for each Flow, such as `test_flow_json[la-tavola.checkout.en].json`."""

    _write_mode = WriteMode.TEXT
    file_extension = "json"

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return f"{test_location.snapshot_name}.{index}"


@pytest.mark.parametrize("tenant", TENANTS)
async def test_flow_json(tenant: TenantId, snapshot: SnapshotAssertion) -> None:
    problems = Problems()
    made = await compile_flows(LIBRARY.load(tenant), problems)

    assert problems.sorted() == []
    assert len(made) == 4  # two Flows in two languages
    for flow in made:
        name = f"{flow.flow}.{flow.language}"
        assert flow.text == snapshot(name=name, extension_class=FlowJsonFile)


@pytest.mark.parametrize("tenant", TENANTS)
async def test_every_product_of_the_shipped_catalogs_fits_a_flow(tenant: TenantId) -> None:
    problems = Problems()
    bundle = LIBRARY.load(tenant)
    compiled = await compile_flows(bundle, problems)
    products = LIBRARY.products(tenant, problems)
    assert len(products) >= 40

    await misfits(bundle, compiled, products, problems)

    assert problems.sorted() == []
