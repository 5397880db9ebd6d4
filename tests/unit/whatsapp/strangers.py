"""JSON as strangers may send it."""

from typing import Any

from hypothesis import strategies as st

# Texts with half characters, numbers JSON does not have, integers without end.
any_text = st.text(st.characters(), max_size=6)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=10,
)


def nested(levels: int) -> Any:
    inner: Any = "end"
    for _ in range(levels):
        inner = {"in": [inner]}
    return inner
