# SPDX-License-Identifier: BSD-2-Clause
"""Debian 11 on Keel and without it: the same system, on both machines."""
import collections
import re

import pytest

import debian
import machine
import runner
import settings

BACKENDS = ("bochs-vmx", "qemu-svm")
pytestmark = pytest.mark.first

# Lines of dmesg (numbers as N) that may be there in one of the two boots only, and why.
DMESG_DIFFERENCES = [
    (r"BIOS-eN: .*|.*\[mem .*|e820: .*|.*[Mm]emory.*|.*PFN.*|.*pages.*|.*Zone.*|.*zone.*",
     "Keel's memory is missing from the map"),
    (r"Command line: .*|Kernel command line: .*|.*BOOT_IMAGE=.*", "GRUB's linux adds BOOT_IMAGE="),
    (r"ACPI: \(supports SN.*", "Keel hides the sleep states: it would not survive them"),
    (r"kvm: disabled by bios|kvm: .*[Nn]ested.*|kvm: no hardware support.*|.*: kvm: .*",
     "Keel hides VMX and SVM"),
    (r"Performance Events: (PEBS fmtN[-+]?, )?\w+ events, .*", "Keel hides PEBS"),
    (r"pci .* took N usecs|tsc: .*|sched_clock: Marking stable.*|hrtimer: .*|"
     r"clocksource: timekeeping watchdog.*|.*Calibrating delay loop.*|Detected .* processor",
     "emulated time against a busy host's clock"),
]
TROUBLE = (r"BUG:|WARNING:|Oops|Call Trace|general protection|unchecked MSR|Kernel panic|"
           r"soft lockup|stall|ACPI (BIOS )?Error|APIC error|Clocksource .* unstable")


@pytest.mark.parametrize("entry", debian.ENTRIES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_login_and_power_off(backend, entry):
    session = debian.session(backend, entry)
    assert session.answers["uname"].startswith("Linux 5.10.")
    assert session.answers["units"].strip() == ""


@pytest.mark.parametrize("backend", BACKENDS)
def test_under_keel(backend):
    """The entry that says Keel runs it, the other does not, and Keel counts to the end."""
    keel, bare = (debian.session(backend, entry).text for entry in debian.ENTRIES)
    assert re.search(r"^keel: .*" + ("VMX" if backend == "bochs-vmx" else "SVM"), keel, re.M)
    assert "keel: " not in bare
    counts = re.search(r"^keel: power-off; exits: total=(\d+)", keel, re.M)
    assert counts and int(counts[1]) > 0, "no exit counts at power-off"


def messages(session):
    lines = session.answers["dmesg"].splitlines()
    return collections.OrderedDict((debian.normal(line), line) for line in lines)


def excused(line):
    return any(re.fullmatch(pattern, line) for pattern, _ in DMESG_DIFFERENCES)


@pytest.mark.parametrize("backend", BACKENDS)
def test_dmesg_is_bare(backend):
    keel, bare = (messages(debian.session(backend, entry)) for entry in debian.ENTRIES)
    found = [f"only under Keel: {line}" for line in keel if line not in bare and not excused(line)]
    found += [f"only bare: {line}" for line in bare if line not in keel and not excused(line)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_dmesg_has_no_trouble(backend):
    keel, bare = (debian.session(backend, entry) for entry in debian.ENTRIES)
    trouble = [line for line in messages(keel).values() if re.search(TROUBLE, line)
               and debian.normal(line) not in messages(bare)]
    assert not trouble, "\n".join(trouble)


def ram(session):
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : System RAM$", session.answers["iomem"], re.M)
    return sum(int(end, 16) + 1 - int(start, 16) for start, end in found)


@pytest.mark.parametrize("backend", BACKENDS)
def test_memory_lost(backend):
    keel, bare = (ram(debian.session(backend, entry)) for entry in debian.ENTRIES)
    assert 0 < bare - keel <= 4 << 20, f"bare has {bare}, under Keel there is {keel}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_cpu_flags(backend):
    keel, bare = (set(debian.session(backend, entry).answers["cpuflags"].split())
                  for entry in debian.ENTRIES)
    assert bare - keel <= {"vmx", "smx", "svm", "npt", "ept", "vpid", "ept_ad", "tpr_shadow",
                           "vnmi", "flexpriority", "dts", "ds", "dtes64", "ds_cpl", "pebs", "bts",
                           "intel_pt", "hfi"}
    assert not keel - bare


@pytest.mark.parametrize("entry", debian.ENTRIES)
def test_network(entry):
    answers = debian.session("qemu-svm", entry).answers
    assert re.search(r"inet 10\.0\.2\.\d+", answers["address"])
    assert "hello from the host" in answers["fetch"]


def test_power_cut_and_reboot():
    """The plug is pulled under Keel; the same disk boots again, and then once more by itself."""
    folder = settings.WORK / "debian-power-cut"
    setup = debian.setup("qemu-svm", folder)

    def run():
        with machine.Qemu(setup, folder) as m:
            debian.choose(m, "keel")
            debian.login(m)
            debian.answer(m, "echo kept >/root/kept; sync")
            debian.answer(m, "echo lost >/root/lost")
            m.kill()
        with machine.Qemu(setup, folder) as m:
            debian.choose(m, "keel")
            debian.login(m)
            assert debian.answer(m, "cat /root/kept").strip() == "kept"
            assert "EXT4-fs error" not in debian.answer(m, "dmesg")
            m.type("reboot\r")
            m.expect(rb"keel: [^\n]*exits: total=(\d+)")
            debian.choose(m, "keel")
            debian.login(m)
            debian.power_off(m)

    runner.with_retry(folder.name, run)
    setup.disk.unlink()
