"""What the doctor says where something is missing."""

import json

import pytest

from autograder import cli, doctor
from autograder.doctor import can_isolate, examine_machine
from autograder.sandbox import SandboxError


@pytest.fixture
def trial(monkeypatch):
    """A sandbox that starts at once; set `says` to make it fail."""

    class Trial:
        says = ""
        started = 0

        def __init__(self, *, locked):
            assert locked
            Trial.started += 1

        def wait_until_ready(self):
            if Trial.says:
                raise SandboxError(f"{Trial.says}\nmore")

        def close(self):
            pass

    monkeypatch.setattr(doctor, "Sandbox", Trial)
    return Trial


def missing(findings):
    return [finding.name for finding in findings if not finding.ok]


@pytest.mark.usefixtures("trial")
def test_a_machine_that_has_everything():
    findings = examine_machine()
    assert can_isolate(findings)
    assert missing(findings) == []
    assert findings[-1].name == "a sandbox that holds"


def test_a_lock_that_does_not_hold(trial):
    trial.says = "a student's code can open an internet socket"
    (finding,) = [f for f in examine_machine() if not f.ok]
    assert finding.detail == "a student's code can open an internet socket"
    assert "--no-sandbox" in finding.remedy


def test_without_bubblewrap_nothing_is_started(trial, monkeypatch):
    monkeypatch.setattr(doctor.bubblewrap, "find_bubblewrap", lambda: None)
    findings = examine_machine()
    assert missing(findings) == ["bubblewrap"]
    assert trial.started == 0


def test_another_system(trial, monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert missing(examine_machine()) == ["Linux"]
    assert trial.started == 0


@pytest.mark.usefixtures("trial")
def test_another_processor(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert missing(examine_machine()) == ["processor"]


@pytest.mark.usefixtures("trial")
def test_user_namespaces_that_are_switched_off(monkeypatch, tmp_path):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    settings = {"user/max_user_namespaces": "0", "kernel/unprivileged_userns_clone": "0"}
    for name, value in settings.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"{value}\n")
    real = doctor.Path
    redirect = {"/proc/sys": tmp_path}
    monkeypatch.setattr(doctor, "Path", lambda path: redirect.get(path, real(path)))
    findings = [finding for finding in examine_machine() if not finding.ok]
    assert [finding.remedy for finding in findings] == [
        "as root: sysctl -w user.max_user_namespaces=15000",
        "as root: sysctl -w kernel.unprivileged_userns_clone=1",
    ]


def test_the_command(trial, capsys):
    assert cli.main(["doctor"]) == 0
    assert "can be locked in on this machine" in capsys.readouterr().out
    trial.says = "no"
    assert cli.main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)[-1]["ok"] is False
    assert cli.main(["doctor"]) == 1
    assert "MISSING a sandbox that holds: no" in capsys.readouterr().out
