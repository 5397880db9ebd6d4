import pytest

from tests.unit.message_templates.scene import office as an_office


@pytest.fixture
async def office(database):
    """The pizzeria and Meta."""
    async with an_office(database) as made:
        yield made
