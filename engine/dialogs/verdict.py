"""A played dialog held against its snapshot: what an editor has to be told of it."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal

from engine.dialogs.scripts import Broken
from engine.dialogs.snapshots import Snapshots
from engine.dialogs.theatre import Line, Played
from engine.domain.ids import TenantId
from engine.spec.problems import Span

Outcome = Literal["passed", "changed", "new", "failed", "broken", "stale", "written", "removed"]
FINE: Final = frozenset({"passed", "written", "removed"})
AROUND = 3
"""Lines that are shown around what has changed."""
MOST_LINES = 40
"""Of the transcript of a dialog that fails; the last ones are shown."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a dialog.

    Args:
        outcome: `new` has no snapshot yet, `stale` is a snapshot without a dialog.
        where: the step that differs or fails, or the file.
        step: its number from 1; 0 if none is meant.
        details: a difference as `diff -u` writes it, or the end of the transcript.
        accept: the command that makes what was played the snapshot, if one does.
    """

    tenant: TenantId
    name: str
    outcome: Outcome
    where: Span
    sentence: str = ""
    step: int = 0
    details: tuple[str, ...] = ()
    accept: str = ""

    @property
    def is_fine(self) -> bool:
        """Tell whether nobody has to do anything."""
        return self.outcome in FINE

    def lines(self) -> Iterator[str]:
        """Write it for a person."""
        yield f"{self.where}: {self.outcome}: {self.sentence}"
        yield from (f"    {line}".rstrip() for line in self.details)
        if self.accept:
            yield f"  if this is right: {self.accept}"


def judge(played: Played, snapshots: Snapshots, *, update: bool = False) -> Verdict:
    """Hold a played dialog against its snapshot.

    Args:
        update: a transcript that differs becomes the snapshot; never one of a dialog that fails.

    Raises:
        EngineError: the snapshot cannot be read or written.
    """
    script = played.script
    wrong = _wrong(played)
    if wrong:
        sentence = f"{script.called(played.step)}: {wrong}" if played.failure else wrong
        step = played.step if played.failure else 0
        return Verdict(
            script.tenant, script.name, "failed", script.place(step), sentence,
            step, tuple(_end(played)),
        )  # fmt: skip
    held = snapshots.read(script.name)
    if held is not None and _rows(held) == _rows(played.text):
        return Verdict(script.tenant, script.name, "passed", script.place(0))
    if update:
        snapshots.write(script.name, played.text)
        sentence = f"its transcript is in {snapshots.file(script.name)}"
        return Verdict(script.tenant, script.name, "written", script.place(0), sentence)
    accept = f"comanda test {script.tenant} --only={shlex.quote(script.name)} --update"
    if held is None:
        sentence = "it has no snapshot yet; this is its transcript"
        shown = tuple(line.text for line in played.lines)
        return Verdict(
            script.tenant, script.name, "new", script.place(0), sentence, 0, shown, accept
        )
    step, difference = _difference(_rows(held), played.lines)
    titles = (f"--- {snapshots.file(script.name)}", f"+++ {script.file}, as it is played now")
    sentence = f"{script.called(step)}: what the customer sees is not what the snapshot says"
    return Verdict(
        script.tenant, script.name, "changed", script.place(step), sentence, step,
        (*titles, *difference), accept,
    )  # fmt: skip


def broken(script: Broken) -> Verdict:
    """Tell of a dialog that cannot be read."""
    first, *others = script.problems
    hint = f"; {first.hint}" if first.hint else ""
    sentence = f"{first.code}: {first.sentence}{hint}"
    details = tuple(str(problem) for problem in others)
    return Verdict(script.tenant, script.name, "broken", first.span, sentence, details=details)


def stale(tenant: TenantId, snapshots: Snapshots, name: str, *, update: bool) -> Verdict:
    """Tell of a snapshot whose dialog is gone, or remove it.

    Raises:
        EngineError: it cannot be removed.
    """
    where = Span(snapshots.file(name))
    if update:
        snapshots.remove(name)
        return Verdict(tenant, name, "removed", where, "there was no such dialog any more")
    sentence = f"there is no dialog '{name}' of which it is the snapshot"
    return Verdict(
        tenant, name, "stale", where, sentence, accept=f"comanda test {tenant} --update"
    )


def _wrong(played: Played) -> str:
    return "; ".join([*([played.failure] if played.failure else []), *played.troubles])


def _end(played: Played) -> Iterator[str]:
    """Give the end of a transcript: the step that fails and the one before it."""
    first = played.step - 1 if played.failure else 0
    shown = [line.text for line in played.lines if line.step >= first]
    if len(shown) > MOST_LINES:
        yield "…"
    yield from shown[-MOST_LINES:]


def _rows(text: str) -> list[str]:
    return text.rstrip("\n").split("\n")


def _difference(held: list[str], played: tuple[Line, ...]) -> tuple[int, list[str]]:
    """Compare transcripts; give the first step that differs, and the difference."""
    now = [line.text for line in played]
    while now and not now[-1]:
        now.pop()
    found: list[str] = []
    steps: list[int] = []
    for group in SequenceMatcher(None, held, now, autojunk=False).get_grouped_opcodes(AROUND):
        tag, _, _, begin, _ = next(code for code in group if code[0] != "equal")
        steps.append(played[begin - (tag == "delete") if begin else 0].step)
        found.append(_heading(group, steps[-1]))
        for tag, before, until, since, end in group:
            if tag == "equal":
                found += [f" {row}" for row in held[before:until]]
                continue
            found += [f"-{row}" for row in held[before:until]]
            found += [f"+{row}" for row in now[since:end]]
    return (steps[0] if steps else 0), found


def _heading(group: list[tuple[str, int, int, int, int]], step: int) -> str:
    first, last = group[0], group[-1]
    held = f"-{first[1] + 1},{last[2] - first[1]}"
    now = f"+{first[3] + 1},{last[4] - first[3]}"
    return f"@@ {held} {now} @@ step {step}"
