"""Meta's validator of Flow JSON: the faults of an uploaded text, with lines and columns.

As Meta does, it looks at the shape first and says nothing more while that is wrong. It knows the
document only, not the Flow it is uploaded for. Where Meta's pages do not say whether something is
an error, it is not.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import orjson

from engine.sandbox.envelope import JsonObject
from engine.sandbox.flow_documents.actions import action_faults
from engine.sandbox.flow_documents.bindings import binding_faults
from engine.sandbox.flow_documents.components import components
from engine.sandbox.flow_documents.data import data_faults
from engine.sandbox.flow_documents.faults import Fault, Version, dotted
from engine.sandbox.flow_documents.layout import screen_faults, screens_faults
from engine.sandbox.flow_documents.parts import parts_faults
from engine.sandbox.flow_documents.places import Place, Places
from engine.sandbox.flow_documents.routing import routing_faults
from engine.sandbox.flow_documents.screens import Screen, has_endpoint, screens_of
from engine.sandbox.flow_documents.shapes import (
    array,
    choice,
    flag,
    mapping,
    record,
    since,
    text,
)

LONGEST = 10 * 1024 * 1024
DEEPEST = 100
PUBLISHABLE = ("5.1", "6.0", "6.1", "6.2", "6.3", "7.0", "7.1", "7.2", "7.3")
KNOWN = ("2.1", "3.0", "3.1", "4.0", "5.0", *PUBLISHABLE)
DATA_API_VERSIONS = ("3.0", "4.0")
LAYOUT = record(
    {"type": choice("SingleColumnLayout", bound=False), "children": components()}, owner="layout"
)
SCREEN = record(
    {
        "id": text(bound=False),
        "title?": text(),
        "terminal?": flag(bound=False),
        "success?": flag(bound=False),
        "refresh_on_back?": flag(bound=False),
        "sensitive?": since((5, 1), array(text(bound=False), bound=False)),
        "data?": mapping(()),
        "layout": LAYOUT,
    },
    owner="screen",
)
SHAPE = record(
    {
        "version": text(bound=False),
        "data_api_version?": text(bound=False),
        "routing_model?": mapping(()),
        "screens": array(SCREEN, least=1, bound=False),
    }
)
ROUTES = array(text(bound=False), bound=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Meta says of an uploaded Flow JSON.

    Args:
        document: what it says, if it is a JSON object at all.
        errors: what is wrong with it, as `validation_errors` has it.
    """

    document: JsonObject | None
    errors: list[JsonObject]


def judge(written: str) -> Verdict:
    """Judge the text of a Flow JSON."""
    try:
        document = orjson.loads(written)
    except orjson.JSONDecodeError as problem:
        place = Place(problem.lineno, problem.lineno, problem.colno, problem.colno)
        return Verdict(None, [_error(Fault("INVALID_FLOW_JSON", _reason(problem), ()), place)])
    places = Places(written)
    if places.depth > DEEPEST:
        message = f"Flow JSON is not valid. It is nested more than {DEEPEST} times."
        return Verdict(None, [_error(Fault("INVALID_FLOW_JSON", message, ()), places.of(()))])
    faults = list(faults_of(document))
    found = [_error(one, places.of(one.path, at_key=one.at_key)) for one in faults]
    return Verdict(document if isinstance(document, dict) else None, found)


def faults_of(document: object) -> Iterator[Fault]:
    """Say what is wrong with a Flow JSON."""
    if not isinstance(document, dict):
        yield Fault("INVALID_FLOW_JSON", "Flow JSON is not valid. It is not an object.", ())
        return
    version, problem = _version(document)
    if problem is not None:
        yield problem
        return
    wrong = [*SHAPE.check(version, (), document), *_route_shapes(document, version)]
    if wrong:
        yield from wrong
        return
    yield from _endpoint_faults(document)
    screens = screens_of(document)
    yield from screens_faults(screens)
    for screen in screens:
        yield from _faults_on(screen, document, version)
    # Without right declarations and routes there is nothing to compare with.
    if not any(next(data_faults(screen), None) for screen in screens):
        yield from binding_faults(screens)
        yield from action_faults(document, screens)
    if not has_endpoint(document) or "routing_model" in document:
        yield from routing_faults(document, screens)


def is_publishable(document: JsonObject) -> bool:
    """Tell whether Meta still publishes the versions of a right Flow JSON."""
    return document["version"] in PUBLISHABLE


def _faults_on(screen: Screen, document: JsonObject, version: Version) -> Iterator[Fault]:
    yield from screen_faults(screen, document, version)
    yield from parts_faults(screen, version)
    yield from data_faults(screen)


def _version(document: JsonObject) -> tuple[Version, Fault | None]:
    nowhere: Version = (0, 0)
    if "version" not in document:
        message = "Flow JSON version is not specified."
        return nowhere, Fault("MISSING_FLOW_JSON_VERSION", message, ())
    given = document["version"]
    found = re.fullmatch(r"(\d{1,4})\.(\d{1,4})", given) if isinstance(given, str) else None
    if found is None:
        message = "Invalid Flow JSON version."
        return nowhere, Fault("INVALID_FLOW_JSON_VERSION", message, ("version",))
    if given not in KNOWN:
        message = "Unsupported Flow JSON version."
        return nowhere, Fault("UNSUPPORTED_FLOW_JSON_VERSION", message, ("version",))
    return (int(found[1]), int(found[2])), None


def _route_shapes(document: JsonObject, version: Version) -> Iterator[Fault]:
    model = document.get("routing_model")
    for name, targets in model.items() if isinstance(model, dict) else ():
        yield from ROUTES.check(version, ("routing_model", name), targets)


def _endpoint_faults(document: JsonObject) -> Iterator[Fault]:
    if not has_endpoint(document):
        return
    if document["data_api_version"] not in DATA_API_VERSIONS:
        message = "No supported Data API version found for given Flow JSON version."
        yield Fault("NO_SUPPORTED_DATA_API_VERSION", message, ("data_api_version",))
    if "routing_model" not in document:
        message = "The property 'routing_model' is required for property 'data_api_version'."
        yield Fault("MISSING_REQUIRED_PROPERTY", message, ("data_api_version",))


def _reason(problem: orjson.JSONDecodeError) -> str:
    return f"Flow JSON is not valid. {problem.msg}"


def _error(fault: Fault, place: Place) -> JsonObject:
    where = asdict(place)
    return {
        "error": fault.error,
        "error_type": "FLOW_JSON_ERROR",
        "message": fault.message,
        **where,
        "pointers": [{**where, "path": dotted(fault.path)}],
    }
