import pytest

from tests.unit.sandbox.samples import LINK, changed


@pytest.mark.parametrize("kind", ["image", "video", "document"])
async def test_caption_has_1024_characters(judge, kind):
    path = f"{kind}.caption"
    assert await judge(changed(kind, path, "x" * 1024)) is None

    refused = await judge(changed(kind, path, "x" * 1025))

    assert refused == (131009, f"Param {path} must be at most 1024 characters long, it has 1025")


@pytest.mark.parametrize("kind", ["audio", "document", "image", "sticker", "video"])
async def test_wants_an_id_or_a_link(judge, kind):
    assert await judge(changed(kind, kind, {"id": "1"})) is None
    assert await judge(changed(kind, kind, {"link": LINK})) is None
    assert await judge(changed(kind, kind, {})) == (
        131008,
        f"Param {kind} needs one of id or link",
    )
    assert await judge(changed(kind, kind, {"id": "1", "link": LINK})) == (
        131009,
        f"Param {kind} takes only one of id or link",
    )
    assert (await judge(changed(kind, kind, {"link": "ftp://example.com/a"})))[0] == 131009


@pytest.mark.parametrize("kind", ["audio", "sticker"])
async def test_some_media_have_no_caption(judge, kind):
    assert await judge(changed(kind, f"{kind}.caption", "x")) == (
        100,
        f'Unexpected key "caption" on param {kind}',
    )
