"""The programs that read these files say that they are well formed, all of them offline.

docker-compose parses the compose file against its specification; caddy reads its configuration;
hadolint and kubernetes-validate read theirs. `systemd-analyze` is asked where there is one.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.operations.files import OPERATIONS, ROOT, UNITS

BIN = Path(sys.executable).parent


def run(program, *arguments, cwd=ROOT, **environment):
    found = BIN / program if (BIN / program).exists() else shutil.which(program)
    assert found, f"{program} is not installed; `make` does it"
    return subprocess.run(
        [str(found), *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": os.environ["PATH"]} | environment,
    )  # fmt: skip


def configured(folder, text):
    """Let docker-compose read a compose file with the settings an operator begins with."""
    (folder / "compose.yaml").write_text(text)
    secrets = folder / "engine/operations/secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    shutil.copy(OPERATIONS / "comanda.env.example", secrets / "comanda.env")
    shutil.copy(OPERATIONS / "proxy/proxy.env.example", secrets / "proxy.env")
    return run("docker-compose", "config", "--format", "json", cwd=folder, HOME=str(folder))


def test_the_compose_file(tmp_path):
    done = configured(tmp_path, (ROOT / "compose.yaml").read_text())
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    services = json.loads(done.stdout)["services"]
    assert {"proxy", "web1", "web2", "worker1", "worker2"} < services.keys()
    # An environment variable of the compose file does not take the place of the file's.
    environment = services["web1"]["environment"]
    assert environment["MONGODB_URI"].startswith("mongodb://comanda:")
    assert environment["TRUSTED_PROXIES"] == services["proxy"]["networks"]["edge"]["ipv4_address"]


def test_a_compose_file_with_an_unknown_word_is_refused(tmp_path):
    text = (ROOT / "compose.yaml").read_text()
    done = configured(tmp_path, text.replace("cap_drop:", "caps_drop:", 1))
    assert done.returncode != 0
    assert "caps_drop" in done.stderr


def test_the_dockerfile():
    done = run("hadolint", "--no-color", "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_a_dockerfile_with_a_mistake_is_seen(tmp_path):
    text = (ROOT / "Dockerfile").read_text()
    (tmp_path / "Dockerfile").write_text(text.replace("USER 10001:10001", "RUN cd /srv"))
    assert run("hadolint", "--no-color", tmp_path / "Dockerfile").returncode != 0


@pytest.mark.parametrize("version", ["1.30.0", "1.37.0"])
def test_the_kubernetes_manifests(version):
    files = sorted((OPERATIONS / "kubernetes").glob("*.yaml"))
    done = run("kubernetes-validate", "--strict", "-k", version, *files)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stdout + done.stderr).count(" passed for resource ") == 12


def test_a_manifest_with_an_unknown_word_is_refused(tmp_path):
    text = (OPERATIONS / "kubernetes/worker.yaml").read_text()
    (tmp_path / "worker.yaml").write_text(text.replace("replicas: 2", "replicants: 2"))
    assert run("kubernetes-validate", "--strict", tmp_path / "worker.yaml").returncode != 0


def test_the_proxys_configuration(tmp_path):
    file = OPERATIONS / "proxy/Caddyfile"
    known = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    done = run("caddy", "validate", "--adapter", "caddyfile", "--config", file, **known)
    assert done.returncode == 0, done.stderr
    formatted = run("caddy", "fmt", file, **known)
    assert formatted.stdout == file.read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_the_systemd_units(tmp_path):
    named = []
    for name, text in UNITS.items():
        # The program is not installed at its place here.
        unit = tmp_path / name.replace("@", "@8000")
        unit.write_text(text.replace("/opt/comanda/bin/comanda", sys.executable))
        named.append(unit)
    done = run("systemd-analyze", "verify", "--man=no", *named)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
