"""Mutants judged and checked, and the table of what came of it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from engine.domain.ids import TenantId
from engine.spec.problems import Problem
from tests.content.mutants.checker import Checker
from tests.content.mutants.judge import Judge
from tests.content.mutants.mutant import Mutant
from tests.content.mutants.operators import mutants_of
from tests.content.mutants.page import Page
from tests.content.mutants.roles import kind_of
from tests.content.mutants.shop import Place, Texts, read_texts
from tests.content.mutants.transcripts import CODES, Replay, replay
from tests.content.mutants.verdict import Harm, Status, Verdict

_OF_EACH = 3
TENANTS = (TenantId("la-tavola"), TenantId("dona-lucha"))


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a mutant.

    Args:
        transcripts: of the conversations it reports, how many were played and how many failed.
        told: what the checker says, the first few.
        is_reported: it says anything, as an error if `is_error`.
        is_at_line: at the line of the mistake; or, if `is_at_place`, where the mistake shows.
    """

    mutant: Mutant
    status: Status
    harm: str
    told: tuple[str, ...] = ()
    is_reported: bool = False
    is_error: bool = False
    is_at_line: bool = False
    is_at_place: bool = False
    transcripts: tuple[int, int] = (0, 0)

    @property
    def line(self) -> str:
        """Write it in one line."""
        seen = "at line" if self.is_at_line else "at place" if self.is_at_place else "elsewhere"
        told = f"{seen}: {self.told[0]}" if self.told else "nothing told"
        return f"{self.status}: {self.mutant.id}: {self.harm}: {told}"


def all_mutants(root: FilePath) -> Iterator[Mutant]:
    """Plant every mistake into every file of the content.

    Of a catalog, whose products are all alike, some of each kind are enough.
    """
    for file, text in read_texts(root).items():
        made = (mutant for mutant in mutants_of(Page(file, text)) if mutant.text != text)
        if kind_of(file) == "catalog":
            yield from _thinned(made)
        else:
            yield from made


def _thinned(mutants: Iterable[Mutant]) -> Iterator[Mutant]:
    alike: dict[object, list[Mutant]] = {}
    for mutant in mutants:
        line = mutant.text.split("\n")[mutant.line - 1]
        words = re.findall(r"[a-z]+:?", line)[:1]
        what = mutant.note.partition(":")[0] if "value" in mutant.operator else ""
        alike.setdefault((mutant.operator, *words, re.sub(r".*\.", "", what)), []).append(mutant)
    for made in alike.values():
        yield from made[:: max(len(made) // _OF_EACH, 1)]


def sampled(mutants: Iterable[Mutant], size: int, *, turn: int = 0) -> list[Mutant]:
    """Choose mutants evenly: of each operator as many, spread over all its places.

    Args:
        turn: another one chooses others.
    """
    by_operator: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_operator.setdefault(mutant.operator, []).append(mutant)
    share = max(size // max(len(by_operator), 1), 1)
    chosen: list[Mutant] = []
    for made in by_operator.values():
        count = min(share, len(made))
        chosen += [made[(place * len(made) // count + turn) % len(made)] for place in range(count)]
    return chosen


@dataclass(slots=True)
class Trial:
    """Judges mutants and asks the checker of the harmful ones.

    Args:
        asks_always: asks it of harmless ones, too.
    """

    judge: Judge
    checker: Checker
    asks_always: bool = False
    _pages: dict[str, Page] = field(default_factory=dict)

    async def of(self, mutant: Mutant) -> Result:
        """Try one mutant with every tenant that its file is of."""
        tenants = [name for name in TENANTS if f"tenants/{name}/" in mutant.file] or list(TENANTS)
        verdict = Verdict("unseen")
        for tenant in tenants:
            found = await self.judge.judge(mutant, tenant)
            if found.status == "harmful" or verdict.status == "unseen":
                verdict = found
            if verdict.status == "harmful":
                tenants.remove(tenant)
                tenants.insert(0, tenant)
                break
        if verdict.status != "harmful" and not self.asks_always:
            return Result(mutant, verdict.status, "")
        told: list[Problem] = []
        crashes: list[str] = []
        places = self._places(mutant, verdict.harm)
        for tenant in tenants:
            told += await self.checker.told(mutant, tenant, places)
            crashes += [self.checker.crash] if self.checker.crash else []
            if self._is_at(told, places):
                break
        is_shared = not mutant.file.startswith("tenants/")
        if self.checker.walks and is_shared and not told and not crashes:
            told = await self.checker.told_of_all(mutant)
        replays = await self._replays(mutant, told, tenants)
        shown = {place for replay in replays if replay.fails for place in replay.places}
        return Result(
            mutant,
            verdict.status,
            verdict.harm.sentence,
            (*crashes, *(str(problem) for problem in told[:3])),
            is_reported=bool(told) and not crashes,
            is_error=any(problem.severity == "error" for problem in told),
            is_at_line=self._is_at(told, {(mutant.file, mutant.line)}),
            is_at_place=self._is_at(told, places | shown),
            transcripts=(len(replays), sum(replay.fails for replay in replays)),
        )

    async def _replays(
        self, mutant: Mutant, told: Sequence[Problem], tenants: Sequence[TenantId]
    ) -> list[Replay]:
        """Play what the checker says that fails; the shop of one of its tenants must show it."""
        replays: list[Replay] = []
        for problem in told:
            if problem.code not in CODES or not problem.transcript:
                continue
            played = [
                await replay(problem, self.judge.shop_of(mutant, tenant)) for tenant in tenants
            ]
            known = sorted((one for one in played if one), key=lambda one: one.fails)
            replays += known[-1:]
        return replays

    def _is_at(self, told: Sequence[Problem], places: set[Place]) -> bool:
        return any((problem.span.file, problem.span.line) in places for problem in told)

    def _places(self, mutant: Mutant, harm: Harm) -> set[Place]:
        places = {(mutant.file, line) for line in (mutant.line, *mutant.also)}
        for file, line in harm.places:
            places |= {(file, each) for each in self._lines_of(file, line)}
        for file in self.judge.texts if mutant.path else ():
            part = self._page(file).at(*mutant.path) if "messages/" in file else None
            places |= {(file, part.line), (file, part.value_line)} if part else set()
        if mutant.names:
            places |= set(_mentions(self.judge.texts, mutant))
        return places

    def _page(self, file: str) -> Page:
        if file not in self._pages:
            self._pages[file] = Page(file, self.judge.texts[file])
        return self._pages[file]

    def _lines_of(self, file: str, line: int) -> Iterator[int]:
        """Give the lines of a text of several that begins at a line."""
        page = self._page(file)
        yield line
        for part in page.parts.values():
            if part.text is not None and line in (part.line, part.value_line):
                yield from range(part.line, page.line_of(part, len(page.raw(part).rstrip())) + 1)


def _mentions(texts: Texts, mutant: Mutant) -> Iterator[Place]:
    names = "|".join(re.escape(name) for name in mutant.names)
    pattern = re.compile(rf"(?<![\w-])({names})(?![\w-])")
    for file, text in {**texts, mutant.file: mutant.text}.items():
        for number, line in enumerate(text.split("\n"), start=1):
            if pattern.search(line):
                yield file, number


@dataclass(slots=True)
class Row:
    """The figures of one operator."""

    made: int = 0
    harmful: int = 0
    different: int = 0
    reported: int = 0
    errors: int = 0
    at_line: int = 0
    at_place: int = 0

    def add(self, result: Result) -> None:
        """Count a mutant."""
        self.made += 1
        self.different += result.status == "different"
        if result.status == "harmful":
            self.harmful += 1
            self.reported += result.is_reported
            self.errors += result.is_error
            self.at_line += result.is_at_line
            self.at_place += result.is_at_place


@dataclass(slots=True)
class Table:
    """The figures of all operators, and what was missed."""

    rows: dict[str, Row] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count a mutant."""
        self.results.append(result)
        self.rows.setdefault(result.mutant.operator, Row()).add(result)

    @property
    def total(self) -> Row:
        """Give the sum."""
        total = Row()
        for result in self.results:
            total.add(result)
        return total

    @property
    def missed(self) -> list[Result]:
        """Give the harmful ones that the checker says nothing of."""
        return [r for r in self.results if r.status == "harmful" and not r.is_reported]

    @property
    def misplaced(self) -> list[Result]:
        """Give those it reports at no right place."""
        return [
            r
            for r in self.results
            if r.is_reported and r.status == "harmful" and not r.is_at_place
        ]

    @property
    def untrue(self) -> list[Result]:
        """Give those with a transcript that does not fail when it is played."""
        return [r for r in self.results if r.transcripts[1] < r.transcripts[0]]

    @property
    def alarms(self) -> list[Result]:
        """Give harmless ones that it calls errors."""
        return [r for r in self.results if r.status != "harmful" and r.is_error]

    def lines(self) -> Iterator[str]:
        """Write it."""
        head = ("made", "harmful", "other", "reported", "as error", "at line", "at place")
        yield f"{'operator':24}" + "".join(f"{name:>10}" for name in head)
        for name, row in [*sorted(self.rows.items()), ("all", self.total)]:
            held = (
                row.made,
                row.harmful,
                row.different,
                row.reported,
                row.errors,
                row.at_line,
                row.at_place,
            )
            yield f"{name:24}" + "".join(f"{number:>10}" for number in held)
        total = self.total
        yield f"reported: {share(total.reported, total.harmful)} of the harmful"
        yield f"at the line of the mistake: {share(total.at_line, total.reported)} of the reported"
        played, failed = (sum(r.transcripts[n] for r in self.results) for n in (0, 1))
        yield f"transcripts that fail when played: {share(failed, played)} of {played}"
        yield f"there or where it shows: {share(total.at_place, total.reported)} of the reported"


def share(part: int, whole: int) -> str:
    """Write a share in per cent."""
    return f"{100 * part / whole:.1f} %" if whole else "none"
