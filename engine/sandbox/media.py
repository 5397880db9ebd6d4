"""Meta's rules for media in a message: what names them, not what is in them."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.sandbox.shapes import Shape, exactly_one, flag, shape, text

CAPTION: Mapping[str, Shape] = MappingProxyType({"caption?": text(1024)})
FILENAME: Mapping[str, Shape] = MappingProxyType({"filename?": text()})
WEB_ADDRESS = text(like=r"https?://\S+")


def media(extra: Mapping[str, Shape] = MappingProxyType({})) -> Shape:
    """Want a medium by id or by link, with these further fields."""
    one = exactly_one("id", "link")
    return shape({"id?": text(), "link?": WEB_ADDRESS, **extra}, one)


AUDIO = media({"voice?": flag})
DOCUMENT = media({**CAPTION, **FILENAME})
IMAGE = media(CAPTION)
STICKER = media()
VIDEO = media(CAPTION)
