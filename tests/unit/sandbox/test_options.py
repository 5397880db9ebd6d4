import base64
from datetime import UTC

from engine.sandbox.options import SandboxOptions


def test_defaults_are_a_real_clock_and_new_ids():
    options = SandboxOptions()

    assert options.clock().tzinfo is UTC
    wamid = options.wamids()
    assert wamid.startswith("wamid.")
    assert len(base64.b64decode(wamid.removeprefix("wamid."))) == 30
    assert wamid != options.wamids()
