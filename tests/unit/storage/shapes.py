"""Compares what lies in the database with the documents that describe it."""

BOOKKEEPING = {"v", "key", "ns", "name", "background"}


async def indexes(database, document):
    """Give a collection's indexes as `{"a -b": options}`, without the one of `_id`."""
    found = await database.collection(document).index_information()
    return {
        " ".join(("-" if way == -1 else "") + key for key, way in index["key"]): {
            option: value for option, value in index.items() if option not in BOOKKEEPING
        }
        for name, index in found.items()
        if name != "_id_"
    }


async def assert_has_the_shape(database, document):
    """Check that each row of a collection is valid, and has nothing the document does not know."""
    rows = await database.collection(document).find({}).to_list()
    assert rows, f"nothing was written to {document.get_collection_name()}"
    for row in rows:
        known = document.model_validate(row).model_dump(by_alias=True)
        assert _surplus(row, known) == []


def _surplus(row, known, path=""):
    if isinstance(row, dict) and isinstance(known, dict):
        missing = [f"{path}.{key}" for key in row if key not in known]
        return missing + [
            surplus
            for key in row
            if key in known
            for surplus in _surplus(row[key], known[key], f"{path}.{key}")
        ]
    if isinstance(row, list):
        return [
            surplus
            for place, (left, right) in enumerate(zip(row, known, strict=True))
            for surplus in _surplus(left, right, f"{path}.{place}")
        ]
    return [] if row == known else [f"{path}: {row!r} became {known!r}"]
