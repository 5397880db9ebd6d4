"""What operators are given agrees with the code: settings, files, ports, paths and seconds."""

import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest

from engine.cli.main import main
from engine.graph import client
from engine.parts import SEND_SECONDS
from engine.settings import Settings
from engine.slots import SLOTS
from engine.storage.connection import Database
from engine.sync.worker import DRAIN_SECONDS
from engine.web.routes import WEBHOOKS
from tests.unit.operations.files import (
    OPERATIONS,
    PAGE,
    ROOT,
    UNITS,
    commands,
    compose,
    manifest,
    manifests,
    names,
)

SETTINGS = {name.upper() for name in Settings.model_fields}
DOCKERFILE = (ROOT / "Dockerfile").read_text()
CADDYFILE = (OPERATIONS / "proxy/Caddyfile").read_text()
OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PIP_DISABLE_PIP_VERSION_CHECK"}
OTHERS |= {"PIP_NO_CACHE_DIR"}
PROCESSES = ("web1", "web2", "worker1", "worker2")
OPEN_REQUESTS = 10
"""Seconds that `comanda serve` gives them."""


def given():
    """Give every variable that a process of ours is given, and by whom."""
    yield from ((n, "comanda.env.example") for n in names(_text("comanda.env.example")))
    for name in PROCESSES:
        yield from ((n, "compose.yaml") for n in compose()["services"][name]["environment"])
    for kind in ("ConfigMap", "Secret"):
        held = manifest(kind, "comanda")
        yield from ((n, kind) for n in held.get("data") or held["stringData"])
    for role in ("web", "worker"):
        (container,) = _pod(role)["containers"]
        yield from ((each["name"], role) for each in container.get("env", ()))
    for unit, text in UNITS.items():
        for line in re.findall(r"^Environment=(.*)$", text, re.MULTILINE):
            yield from ((part.partition("=")[0], unit) for part in line.split())
    for name in re.findall(r"\b([A-Z_]+)=", DOCKERFILE.split("FROM")[-1]):
        yield name, "Dockerfile"


def _text(path):
    return (OPERATIONS / path).read_text()


def _pod(role):
    return manifest("Deployment", f"comanda-{role}")["spec"]["template"]["spec"]


def test_every_variable_is_a_setting():
    unknown = {(name, where) for name, where in given() if name not in SETTINGS | OTHERS}
    assert unknown == set()
    assert {"MONGODB_URI", "COMANDA_CONTENT", "TRUSTED_PROXIES"} <= {name for name, _ in given()}


def test_what_a_server_must_have_is_asked_for_everywhere():
    needed = {"MONGODB_URI", "META_APP_SECRET", "META_WEBHOOK_VERIFY_TOKEN", "ENCRYPTION_SECRET"}
    assert needed <= set(names(_text("comanda.env.example")))
    assert needed <= manifest("Secret", "comanda")["stringData"].keys()


def test_no_file_has_a_secret():
    for text in (_text("comanda.env.example"), _text("kubernetes/secret.yaml")):
        for name in ("META_APP_SECRET", "ENCRYPTION_SECRET", "ADMIN_TOKEN"):
            (value,) = re.findall(rf"^ *{name}[=:] *(.*)$", text, re.MULTILINE)
            assert value in ("", '""')
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "engine/operations/secrets/" in ignored


def test_the_proxys_variables_are_those_of_its_configuration():
    asked = set(re.findall(r"\{\$([A-Z_]+)", CADDYFILE))
    given = set(names(_text("proxy/proxy.env.example")))
    assert given | set(compose()["services"]["proxy"]["environment"]) <= asked


def test_every_file_that_is_mounted_or_copied_exists():
    made = {"engine/operations/secrets"}
    for name, service in compose()["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), f"{name} mounts {source}"
        if "env_file" in service:
            assert str(Path(service["env_file"]).parent) in made
    for line in re.findall(r"^COPY ((?!--from).*) \S+$", DOCKERFILE, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source


def test_what_the_image_is_made_of_is_not_kept_from_it():
    kept = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY ((?!--from).*) \S+$", DOCKERFILE, re.MULTILINE)
    assert {source for line in copied for source in line.split()} == kept


def test_every_volume_network_and_secret_is_declared():
    whole = compose()
    for service in whole["services"].values():
        assert set(service["networks"]) <= whole["networks"].keys() if "networks" in service else 1
        assert set(service.get("secrets", ())) <= whole["secrets"].keys()
        named = [v.partition(":")[0] for v in service.get("volumes", ())]
        assert {n for n in named if not n.startswith("./")} <= whole["volumes"].keys()


def test_only_the_proxy_is_reached_from_outside():
    for name, service in compose()["services"].items():
        ports = [str(port) for port in service.get("ports", ())]
        outside = [port for port in ports if not port.startswith("127.0.0.1:")]
        assert bool(outside) == (name == "proxy"), name
    assert compose()["networks"]["data"] == {"internal": True}
    # The database and the proxy are on no network together.
    database = set(compose()["services"]["mongo1"]["networks"])
    assert database.isdisjoint(compose()["services"]["proxy"]["networks"])


def test_metrics_and_operators_are_not_public():
    (public,) = re.findall(r"@public \{\s*path (.*)", CADDYFILE)
    assert set(public.split()) == {*WEBHOOKS, "/flows/*", "/p/*", "/health/live"}
    paths = {
        path["path"]
        for rule in manifest("Ingress", "comanda")["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    assert paths == {*WEBHOOKS, "/flows", "/p"}


def test_everything_in_compose_is_bounded_and_comes_back():
    for name, service in compose()["services"].items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert service["restart"] in ("unless-stopped", "on-failure:5"), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert re.fullmatch(r"\S+:v?\d+\.\d+\.\d+", service["image"]), name
        if not name.startswith(("web", "worker", "mongo-init")):  # the image has theirs
            assert service["healthcheck"]["test"], name
    for name in PROCESSES:
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]


def seconds(text):
    return int(str(text).removesuffix("s"))


def graces():
    services = compose()["services"]
    yield from ((name, services[name]["stop_grace_period"]) for name in PROCESSES)
    for role in ("web", "worker"):
        pod = _pod(role)
        (container,) = pod["containers"]
        before = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command")
        waits = int(before[1]) if before else 0
        yield f"{role} of Kubernetes", pod["terminationGracePeriodSeconds"] - waits
        (stop,) = re.findall(r"TimeoutStopSec=(\d+)", UNITS[f"comanda-{role}@.service"])
        yield f"{role} of systemd", stop


@pytest.mark.parametrize(("name", "grace"), list(graces()))
def test_a_process_has_the_time_that_its_end_takes(name, grace):
    database = Database("mongodb://unused", name="unused")
    command = database._options["socketTimeoutMS"] / 1000
    needed = OPEN_REQUESTS + command
    if name.startswith("worker"):
        call = client._TIMEOUT.read
        assert call is not None
        # The slots are given back, then the turns end, then it sends; the sync beside them.
        needed = command + command + max(SEND_SECONDS + call, DRAIN_SECONDS) + command
    assert seconds(grace) >= needed


def test_the_seconds_of_open_requests_are_those_of_serve():
    source = (ROOT / "engine/cli/serve.py").read_text()
    assert f"timeout_graceful_shutdown={OPEN_REQUESTS}" in source


def test_probes_ask_for_paths_that_a_worker_has_too():
    source = (ROOT / "engine/web/routes.py").read_text()
    for role in ("web", "worker"):
        (container,) = _pod(role)["containers"]
        (port,) = container["ports"]
        for kind, path in (("liveness", "live"), ("startup", "live"), ("readiness", "ready")):
            probe = container[f"{kind}Probe"]["httpGet"]
            assert probe == {"path": f"/health/{path}", "port": port["name"]}
            assert f'"{probe["path"]}"' in source
        assert container["args"][-1] == str(port["containerPort"])
    assert "http://127.0.0.1:8000/health/live" in DOCKERFILE


def served():
    """Give every `serve` that these files run."""
    for name in PROCESSES:
        yield name, compose()["services"][name]["command"]
    for role in ("web", "worker"):
        yield f"Kubernetes {role}", _pod(role)["containers"][0]["args"]
        text = UNITS[f"comanda-{role}@.service"]
        (line,) = re.findall(r"^ExecStart=/opt/comanda/bin/comanda (.*)$", text, re.MULTILINE)
        yield f"systemd {role}", line.replace("%i", "8000").split()
    (line,) = re.findall(r"^CMD (\[\"serve.*)$", DOCKERFILE, re.MULTILINE)
    yield "Dockerfile", re.findall(r'"([^"]+)"', line)


@pytest.mark.parametrize(("name", "words"), list(served()))
def test_every_serve_can_be_parsed(name, words):
    _parsed(words)


def on_the_page():
    found = set()
    for line in commands(PAGE):
        for each in re.findall(r"(?:^|&& |-- |worker1 )(comanda [a-z].*)", line):
            words = shlex.split(re.split(r"&&|\||<|>", each)[0], comments=True)
            found.add(tuple(words[1:]))
    return sorted(found)


@pytest.mark.parametrize("words", on_the_page(), ids=" ".join)
def test_every_command_of_the_page_can_be_parsed(words):
    _parsed(words)


def test_the_page_has_commands():
    assert len(on_the_page()) > 20


def _parsed(words):
    """Parse a command line as click does, without running it; a mere name must be a command."""
    command: click.Command = main
    left, is_told = list(words), False
    while isinstance(command, click.Group) and left and not left[0].startswith("-"):
        found = command.get_command(click.Context(command), left[0])
        assert found, f"there is no command '{left[0]}' in {words}"
        command, left, is_told = found, left[1:], len(left) > 1
    if is_told and left != ["--help"]:
        command.make_context("comanda", left).close()


def test_every_link_of_the_page_leads_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (OPERATIONS / target).exists(), target


def test_the_note_on_workers_names_a_metric_that_exists():
    metrics = (ROOT / "engine/metrics.py").read_text()
    for text in (PAGE, _text("kubernetes/worker.yaml")):
        for name in re.findall(r"\b(comanda_[a-z_]+)", text):
            assert f'"{name}"' in metrics, name
        assert str(SLOTS) in text


def test_the_scripts_are_well_formed():
    script = OPERATIONS / "mongodb/start.sh"
    assert script.stat().st_mode & 0o111
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_a_cluster_runs_is_restricted():
    for role in ("web", "worker"):
        pod = _pod(role)
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert str(pod["securityContext"]["runAsUser"]) in DOCKERFILE
    namespace = manifest("Namespace", "comanda")["metadata"]["labels"]
    assert namespace["pod-security.kubernetes.io/enforce"] == "restricted"


def test_what_belongs_together_in_a_cluster_has_the_same_labels():
    for each in manifests():
        selector = each["spec"].get("selector") if "spec" in each else None
        if selector and each["kind"] in ("Service", "PodDisruptionBudget"):
            wanted = selector.get("matchLabels", selector)
            role = wanted["app.kubernetes.io/component"]
            labels = manifest("Deployment", f"comanda-{role}")["spec"]["template"]["metadata"]
            assert wanted.items() <= labels["labels"].items()
    scaled = manifest("HorizontalPodAutoscaler", "comanda-web")["spec"]["scaleTargetRef"]
    assert manifest(scaled["kind"], scaled["name"])
