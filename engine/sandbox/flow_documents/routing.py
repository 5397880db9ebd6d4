"""Meta's rules for the way through a Flow: the routing model, and what follows from it."""

from collections.abc import Iterator, Mapping

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.faults import Fault, Path, listed
from engine.sandbox.flow_documents.screens import Action, Screen, has_endpoint, screens_of

MOST_ROUTES = 10

Routes = Mapping[str, tuple[str, ...]]


def routes_of(document: JsonObject) -> Routes:
    """Return the screens a customer can go forward to from each screen of a right Flow JSON."""
    return _routes(document, screens_of(document))


def entry_screens(document: JsonObject) -> list[str]:
    """Return the screens a right Flow JSON may begin with, in its order."""
    screens = screens_of(document)
    return _entries(_routes(document, screens), [screen.id for screen in screens])


def routing_faults(document: JsonObject, screens: list[Screen]) -> Iterator[Fault]:
    """Say what is wrong with the routing model, or with the navigation that stands for it."""
    path: Path = ("routing_model",) if has_endpoint(document) else ("screens",)
    names = [screen.id for screen in screens]
    if has_endpoint(document):
        unknown = list(_unknown_faults(document["routing_model"], names))
        yield from unknown
        if unknown:
            return
        yield from _missing_faults(document["routing_model"], names)
        yield from _navigation_faults(document["routing_model"], screens)
    routes = _routes(document, screens)
    yield from _loop_faults(routes, path)
    if not _entries(routes, names):
        message = (
            "No entry screen found in the routing model. "
            "Expected a screen with no inbound edges as the entry screen."
        )
        yield _fault(path, message)
    yield from _connection_faults(routes, names, path)
    yield from _branch_faults(routes, path)
    yield from _ending_faults(routes, screens, path)


def navigations(screen: Screen) -> Iterator[Action]:
    """Give the actions of a screen that lead to another one."""
    return (action for action in screen.actions() if action.name == "navigate")


def _routes(document: JsonObject, screens: list[Screen]) -> Routes:
    model = document.get("routing_model", {}) if has_endpoint(document) else {}
    routes: dict[str, tuple[str, ...]] = {}
    for screen in screens:
        given = model.get(screen.id, ())
        found = () if has_endpoint(document) else _navigated(screen)
        routes[screen.id] = tuple(dict.fromkeys([*given, *found]))
    return routes


def _navigated(screen: Screen) -> Iterator[str]:
    targets = (action.body["next"]["name"] for action in navigations(screen))
    return (target for target in targets if target != screen.id)


def _entries(routes: Routes, names: list[str]) -> list[str]:
    reached = {target for targets in routes.values() for target in targets}
    return [name for name in names if name not in reached]


def _unknown_faults(model: Mapping[str, list[str]], names: list[str]) -> Iterator[Fault]:
    sources = [name for name in model if name not in names]
    if sources:
        message = f"Invalid screens found in the routing model: {listed(sources)}."
        yield _fault(("routing_model", sources[0]), message)
    for source, targets in model.items():
        for index, target in enumerate(targets):
            if target not in names:
                message = f"Invalid screen found in the routing model: {target}."
                yield _fault(("routing_model", source, index), message)


def _missing_faults(model: Mapping[str, list[str]], names: list[str]) -> Iterator[Fault]:
    mentioned = {*model, *(target for targets in model.values() for target in targets)}
    missing = [name for name in names if name not in mentioned]
    # Meta's own samples have one screen and an empty model.
    if missing and len(names) > 1:
        message = f"Following screens are missing in the routing model: {listed(missing)}."
        yield _fault(("routing_model",), message)


def _navigation_faults(model: Mapping[str, list[str]], screens: list[Screen]) -> Iterator[Fault]:
    names = {screen.id for screen in screens}
    for screen in screens:
        for action in navigations(screen):
            target = action.body["next"]["name"]
            if target in names and target not in (screen.id, *model.get(screen.id, ())):
                message = (
                    f"Missing direct route from screen '{screen.id}' to screen '{target}' in the "
                    "routing model, while it exists in the navigate screen action of screen "
                    f"'{screen.id}'."
                )
                yield _fault((*action.path, "next", "name"), message)


def _loop_faults(routes: Routes, path: Path) -> Iterator[Fault]:
    backward = [
        (source, target)
        for source, targets in routes.items()
        for target in targets
        if source < target and source in routes.get(target, ())
    ]
    for source, target in backward:
        message = (
            f"Backward route [{target} -> {source}] corresponding to forward route "
            f"[{source} -> {target}] is not allowed in the routing model. "
            "Only forward routes can be specified."
        )
        yield _fault(path, message)
    loop = _loop(routes)
    if loop:
        message = f"Loop detected in the routing model for screens: {listed(loop)}."
        yield _fault(path, message)


def _loop(routes: Routes) -> list[str]:
    """Return the screens on a loop, or between two: those left when, again and again, what leads
    nowhere and what nothing leads to is taken away."""
    left = dict(routes)
    while True:
        reached = {target for targets in left.values() for target in targets}
        idle = [
            name
            for name, targets in left.items()
            if name not in reached or not any(target in left for target in targets)
        ]
        if not idle:
            return list(left)
        for name in idle:
            del left[name]


def _connection_faults(routes: Routes, names: list[str], path: Path) -> Iterator[Fault]:
    connected = {names[0]}
    while True:
        more = {
            name
            for source, targets in routes.items()
            for name in (source, *targets)
            if connected & {source, *targets}
        }
        if more <= connected:
            break
        connected |= more
    apart = [name for name in names if name not in connected]
    if apart:
        message = (
            f"Following screens are not connected with the rest of the screens: {listed(apart)}. "
            "All screens should be connected."
        )
        yield _fault(path, message)


def _branch_faults(routes: Routes, path: Path) -> Iterator[Fault]:
    for source, targets in routes.items():
        if len(targets) > MOST_ROUTES:
            message = (
                f"Number of branches exceeds the max limit of {MOST_ROUTES} for screen: {source}."
            )
            yield _fault(path, message)


def _ending_faults(routes: Routes, screens: list[Screen], path: Path) -> Iterator[Fault]:
    stuck = [one.id for one in screens if not routes[one.id] and not one.is_terminal]
    if stuck:
        message = (
            f"Following screens lead nowhere and are not terminal: {listed(stuck)}. "
            "All routes must end at a terminal screen."
        )
        yield _fault(path, message)


def _fault(path: Path, message: str) -> Fault:
    return Fault("INVALID_ROUTING_MODEL", message, path)
