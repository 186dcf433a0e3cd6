# SPDX-License-Identifier: BSD-2-Clause
"""keelctl in the small Linux guest: what it shows is true, live, and whole while CPUs come and go."""
import dataclasses
import json
import re

import pytest

import runner
import settings
import smp
import variants
from smp import Case

SVM = Case("qemu-svm", "x2apic", 4)
XAPIC = Case("qemu-svm", "xapic", 2)
VMX = Case("bochs-vmx", "x2apic", 2)
TRACED = (("TRACE", "y"),)
UNSHOWN = (("ACPI_TABLE", "n"),)


@dataclasses.dataclass
class Command:
    name: str
    status: str
    lines: list


def commands(text):
    """Every command that the guest ran, in order."""
    found = []
    for kind, rest in re.findall(r"\] KEELCTL([ +])(.*?)\r?$", text, re.M):
        if kind == "+":
            found[-1].lines[-1] += rest
        elif rest.startswith("RUN "):
            found.append(Command(rest[4:], None, []))
        elif rest.startswith("STATUS "):
            found[-1].status = rest[7:]
        else:
            found[-1].lines.append(rest)
    return found


def run(case, keel, words="", name=""):
    """The guest's commands, and its whole console. Made once."""
    key = settings.WORK / f"keelctl-{case.id()}-{name or 'plain'}"

    def make():
        result = smp.run(case, keel, f"keelctl=1 {words}".strip(), "initramfs-keelctl", f"ctl-{name}")
        return commands(result.text), result
    return runner.once(key, make)


def plain(case):
    return run(case, settings.KEEL, "offcpu=1")


def outputs(found, name):
    return [c for c in found if c.name == name]


def sums(stat):
    return sum(stat["exits"].values())


cases = pytest.mark.parametrize("case", [pytest.param(c, id=c.id()) for c in (SVM, XAPIC, VMX)])


@cases
def test_linux_takes_the_table(case):
    """No complaint about its checksum, though it counts while Linux adds it up."""
    _, result = plain(case)
    assert re.search(r"ACPI: KEEL 0x[0-9A-F]+ [0-9A-F]+ \(v01 KEEL ", result.text), result.tail
    assert not re.search(r"(?i)(incorrect|bad|invalid) checksum", result.text), result.tail
    assert not result.trouble(), result.tail


@cases
def test_verify(case):
    found, result = plain(case)
    verified = outputs(found, "verify")
    assert len(verified) == 7, result.tail
    for command in verified:
        assert command.status == "0" and not [s for s in command.lines if "FAILED" in s], command
    assert f"ok:     {case.cpus} CPUs answer, each with a number of its own" in verified[0].lines
    assert f"ok:     {case.cpus - 1} CPU" in "\n".join(verified[1].lines)


@cases
def test_stat_is_live_and_right(case):
    found, _ = plain(case)
    first, second = (json.loads(c.lines[0]) for c in outputs(found, "stat --json"))
    for stat in (first, second):
        assert stat["total_exits"] == sums(stat) == sum(c["total_exits"] for c in stat["cpus"])
        assert len(stat["cpus"]) == case.cpus
        assert sum(stat["raw"].values()) + stat["overflow"]["raw"] == stat["total_exits"]
        assert sum(stat["msrs"].values()) + stat["overflow"]["msrs"] == \
            stat["exits"]["rdmsr"] + stat["exits"]["wrmsr"]
        for what in ("cpuid", "pages", "msrs"):
            assert sum(stat[what].values()) == sum(sum(c[what].values()) for c in stat["cpus"])
        assert sum(stat["cpuid"].values()) + stat["overflow"]["cpuid"] == stat["exits"]["cpuid"]
        assert "0x6e0" not in stat["msrs"], "IA32_TSC_DEADLINE exits"
    # keelctl executes CPUID, which exits on VMX; interrupts between CPUs do where they are trapped.
    assert second["total_exits"] >= first["total_exits"]
    if case.backend == "bochs-vmx":
        assert second["exits"]["cpuid"] > first["exits"]["cpuid"]
    if case.apic == "xapic":
        assert second["pages"]["0xfee00000"] > first["pages"]["0xfee00000"]


@cases
def test_intervals(case):
    found, result = plain(case)
    command = outputs(found, "stat -i 0.2 -n 2 --json")[0]
    assert command.status == "0" and len(command.lines) == 2, command
    whole = json.loads(outputs(found, "stat --json")[-1].lines[0])
    for line in command.lines:
        stat = json.loads(line)
        assert stat["seconds"] > 0 and 0 <= stat["total_exits"] < whole["total_exits"], result.tail


@cases
def test_cpus_come_and_go(case):
    """Nothing is torn: the sums fit in every single reading."""
    found, result = plain(case)
    command = outputs(found, "stat -i 0.1 -n 10 --json")[0]
    assert command.status == "0" and len(command.lines) == 10, result.tail
    for line in command.lines:
        stat = json.loads(line)
        assert stat["total_exits"] == sums(stat) == sum(c["total_exits"] for c in stat["cpus"])


@cases
def test_info_and_log(case):
    found, result = plain(case)
    info = "\n".join(outputs(found, "info")[0].lines)
    assert re.search(r"^backend:  " + ("VMX" if case.backend == "bochs-vmx" else "SVM"), info, re.M)
    assert re.search(rf"^CPUs:     {case.cpus}, and 0 parked", info, re.M)
    assert re.search(r"^build:    [0-9a-f]{16}$", info, re.M)
    assert re.search(r"^  NR_CPUS=64$", info, re.M)
    log = outputs(found, "log")[0]
    console = [line[6:].strip() for line in smp.keel_lines(result.text)]
    assert log.status == "0" and log.lines and console[:len(log.lines)] == log.lines


@cases
def test_bad_calls(case):
    """Each ends with one line that says why, and a status of its own."""
    found, _ = plain(case)
    user = outputs(found, "info (user)")[0]
    assert user.status == "4" and len(user.lines) == 1 and "only root" in user.lines[0]
    trace = outputs(found, "trace")[0]
    assert trace.status == "1" and trace.lines == [
        "keelctl: this Keel traces nothing: build it with CONFIG_TRACE=y"]
    assert outputs(found, "nothing")[0].status == "2"
    assert outputs(found, "stat -i 0")[0].status == "2"


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id()) for c in (SVM, VMX)])
def test_without_keel(case):
    found, result = run(case, None, name="bare")
    for command in found:
        if command.name not in ("nothing", "stat -i 0"):
            assert command.status == "3", result.tail
            assert command.lines == ["keelctl: there is no Keel below this system"], command


def test_table_left_out():
    found, result = run(SVM, variants.keel(UNSHOWN), name="unshown")
    command = outputs(found, "stat")[0]
    assert command.status == "3" and "shows no table" in command.lines[0], command
    assert not re.search(r"ACPI: KEEL", result.text)
    assert not result.trouble() and re.search(r"exits: total=\d{3}", result.text)


@pytest.mark.parametrize("case", [pytest.param(SVM, id=SVM.id()),
                                  pytest.param(VMX, id=VMX.id(), marks=pytest.mark.full)])
def test_trace(case):
    found, result = run(case, variants.keel(TRACED), name="traced")
    command = outputs(found, "trace")[0]
    entries = [line for line in command.lines if re.match(r"\d+ CPU \d+ ", line)]
    times = [int(line.split()[0]) for line in entries]
    assert command.status == "0" and len(entries) > 20 and times == sorted(times), command
    places = [line.split()[5] for line in entries]
    assert any(re.fullmatch(r"[\w.]+\+0x[0-9a-f]+", place) for place in places), "no symbols"
    nameless = [place for place in places if re.fullmatch(r"0xf[0-9a-f]{15}", place)]
    assert not nameless, f"places in the kernel without a symbol: {nameless}"
    stat = "\n".join(outputs(found, "stat")[0].lines)
    assert re.search(r"^TSC ticks of ", stat, re.M), stat
    assert not result.trouble()
