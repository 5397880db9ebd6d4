"""`comanda diff`: what an edit of the YAML changes for customers."""

import asyncio
import io
import subprocess
import tarfile
from pathlib import Path

import click
import orjson

from engine.authoring.diff.contents import diff as differences
from engine.authoring.diff.text import markdown_diff, plain_diff, summary, text_diff
from engine.cli.garbage import seldom_collected
from engine.cli.output import log_to_stderr
from engine.domain.ids import TenantId
from engine.settings import read_settings
from engine.spec.content import StoredContent
from engine.spec.library import Library
from engine.verbs import all_verbs

_FOLDERS = ("conversations", "flows", "tenants")


@click.command()
@click.argument("before", default="HEAD", metavar="[REV|FOLDER]")
@click.option("--tenant", "chosen", multiple=True, help="Only this tenant; may be repeated.")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
@click.option("--with-catalog", is_flag=True, help="Play each side with its own catalog.yaml.")
def diff(before: str, chosen: tuple[str, ...], *, form: str, with_catalog: bool) -> None:
    """Tell what differs for customers between REV or FOLDER and the files as they are now.

    \b
    Example: comanda diff main --format markdown
    A made-up customer does the same with both; names of states do not matter, only what is read
    and what can be tapped. Unless told otherwise both sides sell what the new catalog.yaml says.
    Exits with 0 if nothing changes for customers, 1 if something does.
    """
    log_to_stderr(level="critical")
    new = Library(read_settings().content(), all_verbs())
    old = new.over(_content(before, new.root))
    known = sorted({*old.tenant_ids(), *new.tenant_ids()})
    for name in chosen:
        if name not in known:
            raise click.UsageError(
                f"there is no tenant '{name}' on either side; there are {', '.join(known)}"
            )
    tenants = [TenantId(name) for name in dict.fromkeys(chosen)] or known
    with seldom_collected():
        found, problems = asyncio.run(differences(old, new, tenants, has_own_catalog=with_catalog))
    sides = {"before": before, "after": str(new.root)}
    for side, wrong in problems.items():
        click.echo(f"diff: {sides[side]} has errors; tenants with one are not compared:", err=True)
        for problem in wrong:
            click.echo(str(problem), err=True)
    if form == "json":
        click.echo(orjson.dumps(plain_diff(found), option=orjson.OPT_INDENT_2))
    elif form == "markdown":
        click.echo(markdown_diff(found, before=before, after="the files now"), nl=False)
    else:
        for line in text_diff(found):
            click.echo(line)
        click.echo(f"diff: {len(found.compared)} tenants compared: {summary(found)}")
    if problems or not found.is_empty:
        raise SystemExit(1)


def _content(named: str, root: Path) -> Path | StoredContent:
    """Find the content a word names: a folder, or a revision of the content folder.

    Raises:
        UsageError: it is neither.
    """
    folder = Path(named)
    if (folder / "conversations").is_dir():
        return folder
    if folder.is_dir() and named not in (".", ".."):
        raise click.UsageError(f"the folder '{named}' holds no folder 'conversations'")
    return StoredContent(_stored(named, root))


def _stored(revision: str, root: Path) -> dict[str, str]:
    """Read the content folder as a revision has it."""
    where = _git(root, "rev-parse", "--show-toplevel", "--show-prefix")
    if where is None:
        raise click.UsageError(
            f"'{revision}' is no folder, and '{root}' is not in a git repository"
        )
    top, path = where.decode().split("\n")[:2]
    wanted = f"{revision}:{path}"
    tree = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", wanted)
    if tree is None:
        raise click.UsageError(f"'{revision}' is neither a folder nor a revision in '{root}'")
    name = tree.decode().strip()
    listed = (_git(Path(top), "ls-tree", "--name-only", name) or b"").decode().splitlines()
    folders = [folder for folder in _FOLDERS if folder in listed]
    if "conversations" not in folders:
        raise click.UsageError(f"'{revision}' holds no folder 'conversations' in '{root}'")
    packed = _git(Path(top), "archive", "--format=tar", name, *folders) or b""
    return _unpacked(packed)


def _unpacked(packed: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file and member.name.endswith(".yaml"):
                texts[member.name] = file.read().decode(errors="replace")
    return texts


def _git(root: Path, *words: str) -> bytes | None:
    """Ask git; None if it says no, or is not there."""
    try:
        done = subprocess.run(["git", "-C", root, *words], capture_output=True, check=False)
    except (OSError, ValueError):  # a name with a zero byte is no word for a program
        return None
    return done.stdout if done.returncode == 0 else None
