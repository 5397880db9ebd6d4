"""Every log call of the engine names an event that is literal, and tells only what it may."""

import ast
import re
from pathlib import Path

import pytest

from engine.logs import AREAS, KEYS

ENGINE = Path(__file__).parents[2] / "engine"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
PEOPLE = {
    "phone", "customer", "user_id", "text", "address", "wamid", "payload", "body", "token",
    "notes", "raw", "contact", "sender", "to", "recipient",
}  # fmt: skip
"""Attributes and variables that hold somebody's: they may stand in a call only inside `digest`."""


def calls(tree: ast.AST) -> list[ast.Call]:
    """Give the calls that log: `log.x(...)`, and `say(...)` where a level was chosen before."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Attribute(value=ast.Name(id="log"), attr=level) if level in LEVELS:
                found.append(node)
            case ast.Name(id="say"):
                found.append(node)
    return found


MODULES = {
    path: ast.parse(path.read_text())
    for path in sorted(ENGINE.rglob("*.py"))
    if path.name != "logs.py" and "sandbox" not in path.parts
}
CALLS = [(path, call) for path, tree in MODULES.items() for call in calls(tree)]


def wrong(call: ast.Call) -> list[str]:
    """Tell what a call may not do."""
    event = call.args[0] if call.args else None
    name = event.value if isinstance(event, ast.Constant) else None
    if not isinstance(name, str) or not re.fullmatch(r"[a-z_]+\.[a-z_]+", name):
        return ["the event is no literal `area.what`"]
    found = [] if name.split(".")[0] in AREAS else [f"there is no area '{name.split('.')[0]}'"]
    if len(call.args) > 1:
        found.append("values go by their keys")
    for word in call.keywords:
        if word.arg == "exc_info":
            continue
        if word.arg not in KEYS:
            found.append(f"'{word.arg}' may not be told")
        found += telling(word.value)
    return found


def telling(value: ast.AST) -> list[str]:
    """Tell what of a value is somebody's, or an exception's own words."""
    match value:
        case ast.Call(func=ast.Name(id="digest" | "reason" | "len" | "type")):
            return []
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]) if "err" in name:
            return [f"an exception's words: reason({name})"]
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in PEOPLE:
            return [f"'{name}' is somebody's"]
        case ast.Attribute(attr="name", value=ast.Name(id="sender" | "conversation" | "talk")):
            return ["a customer's name"]
        case ast.Attribute(attr="id", value=ast.Name(id="row" | "entry" | "cause" | "session")):
            return ["a row's id holds the phone number: digest()"]
    return [each for child in ast.iter_child_nodes(value) for each in telling(child)]


def test_there_are_calls():
    assert len(CALLS) > 60


@pytest.mark.parametrize(
    ("path", "call"),
    CALLS,
    ids=[f"{path.relative_to(ENGINE)}:{call.lineno}" for path, call in CALLS],
)
def test_a_call_tells_only_what_it_may(path, call):
    assert wrong(call) == [], ast.unparse(call)


@pytest.mark.parametrize(
    "source",
    [
        'log.info(f"relay.{x}")', 'log.info("Relay failed")', 'log.info("nowhere.at")',
        'log.info("relay.held", customer="x")', 'log.info("relay.held", error=str(error))',
        'log.info("relay.held", entry=entry.id)', 'log.info("relay.held", reason=sender.phone)',
        'log.info("relay.held", entry=[x.wamid])', 'log.info("relay.held", "x")',
        'say("relay.held", reason=f"{message.text}")', 'log.info("relay.held", said=sender.name)',
    ],
)  # fmt: skip
def test_a_call_that_tells_too_much_is_found(source):
    (call,) = calls(ast.parse(source))
    assert wrong(call)


def test_only_one_module_says_where_logs_go():
    for path, tree in MODULES.items():
        names = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
            for alias in node.names
        }  # fmt: skip
        assert "logging" not in names, path
