"""`comanda schema`: writes the JSON Schemas of the authored documents, or tells they are old."""

from pathlib import Path

import click
import orjson

from engine.errors import EngineError
from engine.settings import read_settings
from engine.spec.schema import KINDS, document_schema
from engine.verbs import all_verbs


@click.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--check", "is_check", is_flag=True, help="Write nothing; exit 1 if one is old.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Default: schemas/ of the content."
)
def schema(kind: str | None, *, is_check: bool, folder: Path | None) -> None:
    """Write the schemas with which an editor completes and checks the YAML.

    \b
    Example: comanda schema            writes all into schemas/
    Example: comanda schema chart      prints one
    """
    verbs = all_verbs()
    if kind:
        click.echo(_written(document_schema(kind, verbs)), nl=False)
        return
    folder = folder or read_settings().content() / "schemas"
    old = []
    for name in KINDS:
        file = folder / f"{name}.schema.json"
        wanted = _written(document_schema(name, verbs))
        if file.is_file() and file.read_bytes() == wanted:
            continue
        old.append(file.name)
        if not is_check:
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wanted)
    if old and is_check:
        raise EngineError(f"{', '.join(old)} in {folder} is not current: run 'comanda schema'")
    click.echo(f"schema: {len(KINDS)} are current")


def _written(made: object) -> bytes:
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
