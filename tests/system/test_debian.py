# SPDX-License-Identifier: BSD-2-Clause
"""Debian 11 on Keel and without it: the same system, on both machines."""
import collections
import json
import re

import pytest

import debian
import machine
import runner
import settings
import smp
from smp import Case

# Sessions on Keel and bare, to be compared, and one that is on Keel only. `make check` compares one pair.
COMPARED = Case("qemu-svm", "xapic", 4)
PAIRS = [Case("bochs-vmx", "x2apic", 2), COMPARED, Case("qemu-svm", "xapic", 1)]
SESSIONS = [(case, entry) for case in PAIRS for entry in debian.ENTRIES]
SESSIONS += [(Case("qemu-svm", "x2apic", 2), "keel")]
# By the disk's own boot sector, which Keel starts: GRUB comes twice.
BY_SECTOR = [Case("bochs-vmx", "x2apic", 2), COMPARED]
SESSIONS += [(case, "disk0") for case in BY_SECTOR]
NETWORKED = [(case, entry) for case, entry in SESSIONS if case.backend == "qemu-svm"]
pytestmark = pytest.mark.first


def marks(case, entry):
    """What is left to check-full: bare sessions of the other pairs; and GRUB twice in Bochs, which takes minutes and
    which `make check` has once, with Keel i386 (test_matrix_debian.py).
    """
    long = (case.backend, entry) == ("bochs-vmx", "disk0") or entry == "bare" and case != COMPARED
    return [pytest.mark.full] if long else []


pairs = pytest.mark.parametrize("case", [pytest.param(c, id=c.id(), marks=marks(c, "bare")) for c in PAIRS])


def sessions_of(which):
    return pytest.mark.parametrize("case, entry", [pytest.param(c, e, id=f"{c.id()}-{e}", marks=marks(c, e))
                                                   for c, e in which])


# Lines of dmesg (numbers as N) that may be there in one of the two boots only, and why.
DMESG_DIFFERENCES = [
    (r"BIOS-eN: .*|.*\[mem .*|e820: .*|.*[Mm]emory.*|.*PFN.*|.*pages.*|.*Zone.*|.*zone.*",
     "Keel's memory is missing from the map"),
    (r"Command line: .*|Kernel command line: .*|.*BOOT_IMAGE=.*", "GRUB's linux adds BOOT_IMAGE="),
    (r"ACPI: KEEL ADDRESS.*", "the table of Keel's counters"),
    (r"ACPI: [RX]SDT ADDRESS.*", "with that table's address, it has another length"),
    (r"ACPI: \(supports SN.*", "Keel hides the sleep states: it would not survive them"),
    (r"kvm: disabled by bios|kvm: .*[Nn]ested.*|kvm: no hardware support.*|.*: kvm: .*",
     "Keel hides VMX and SVM"),
    (r"Performance Events: (PEBS fmtN[-+]?, )?\w+ events, .*", "Keel hides PEBS"),
    (r"pci .* took N usecs|tsc: .*|sched_clock: Marking stable.*|hrtimer: .*|"
     r"clocksource: timekeeping watchdog.*|.*Calibrating delay loop.*|Detected .* processor|"
     r"calibrate_delay_direct\(\) .*|Probably due to long platform interrupts.*|"
     r"APIC calibration not consistent with PM-Timer: .*|APIC delta adjusted to PM-Timer: .*",
     "emulated time against a busy host's clock"),
    (r"\.\.\.\. node .*|(#N ?)+", "printed bit by bit, wherever other lines come between"),
]
# What a loaded host does to the clocks of several CPUs: each kind that a bare boot has is excused, be it
# the session or a small one whose host hardly lets it run.
NOISE = (r"soft lockup", r"TSC unstable|TSCs unsynchronized|TSC warp|TSC synchronization",
         r"rcu.*(stall|starved)", r"Clocksource .* unstable", smp.NO_TIMER)
TROUBLE = (r"BUG:|WARNING:|Oops|Call Trace|general protection|unchecked MSR|Kernel panic|"
           r"soft lockup|stall|ACPI (BIOS )?Error|APIC error|Clocksource .* unstable")


@sessions_of(SESSIONS)
def test_login_and_power_off(case, entry):
    session = debian.session(case, entry)
    assert session.answers["uname"].startswith("Linux 5.10.")
    assert session.answers["units"].strip() == ""
    assert session.answers["cpus"].strip() == str(case.cpus)


@sessions_of(SESSIONS)
def test_each_cpu(case, entry):
    """Where Keel runs, each CPU answers with an index of its own; bare none does."""
    session = debian.session(case, entry)
    indexes = re.findall(r"^keel (\d+)$", session.answers["pings"], re.M)
    bare = re.findall(r"^bare$", session.answers["pings"], re.M)
    if entry != "bare":
        assert len(set(indexes)) == case.cpus and not bare, session.answers["pings"]
        smp.record_exits("debian" if entry == "keel" else "debian-by-sector", case, session.text)
    else:
        assert len(bare) == case.cpus and not indexes, session.answers["pings"]


@pairs
def test_under_keel(case):
    """The entry that says Keel runs it, the other does not, and Keel counts to the end."""
    keel, bare = (debian.session(case, entry).text for entry in debian.ENTRIES)
    assert re.search(r"^keel: .*" + ("VMX" if case.backend == "bochs-vmx" else "SVM"), keel, re.M)
    assert "keel: " not in bare
    counts = re.search(r"^keel: power-off; exits: total=(\d+)", keel, re.M)
    assert counts and int(counts[1]) > 0, "no exit counts at power-off"


@pytest.mark.parametrize("case", [pytest.param(c, id=c.id(), marks=marks(c, "disk0")) for c in BY_SECTOR])
def test_by_boot_sector(case):
    """GRUB under Keel started Debian without asking, and started no second Keel."""
    session = debian.session(case, "disk0")
    assert len(re.findall(r"^keel: Keel ", session.text, re.M)) == 1
    assert re.search(r"^keel: guest: the boot sector of hd0$", session.text, re.M)
    assert "BOOT_IMAGE=" in session.answers["cmdline"]
    assert re.search(r"^keel: power-off; exits: total=(\d+)", session.text, re.M)


@sessions_of(SESSIONS)
def test_keelctl(case, entry):
    """The image's keelctl finds each CPU under the Keel that lies in the image, at boot and now."""
    answers = debian.session(case, entry).answers
    if entry == "bare":
        assert "status 3" in answers["stat"] and "status 3" in answers["verify"]
        assert "there is no Keel below this system" in answers["verify"]
        return
    assert "FAILED" not in answers["verify"], answers["verify"]
    assert f"{case.cpus} CPU" in answers["verify"] and "are those of /boot/keel.options" in answers["verify"]
    assert "Result=success" in answers["service"] and "are those of /boot/keel.options" in answers["service"]
    stat = json.loads(re.search(r"^\{.*\}", answers["stat"], re.M)[0])
    assert len(stat["cpus"]) == case.cpus and stat["total_exits"] == sum(stat["exits"].values())
    assert "0x6e0" not in stat["msrs"]


def stat(session, name):
    return json.loads(re.search(r"^\{.*\}", session.answers[name], re.M)[0])


def forced(session, found):
    """Of these counts, the exits that the architecture forces, or the policy of starting CPUs."""
    safe = smp.policy(session.text) == "safe"
    apic = found["msrs"].get("0x830", 0) + found["pages"].get("0xfee00000", 0)
    return found["exits"]["cpuid"] + (apic if safe else 0)


@sessions_of((case, entry) for case, entry in SESSIONS if entry == "keel")
def test_exits_are_few(case, entry):
    """Up to the login hardly any exit but those; after it, idle and busy, none at all."""
    session = debian.session(case, entry)
    login, after = stat(session, "stat"), stat(session, "after")
    others = login["total_exits"] - forced(session, login)
    assert others <= 100 + 20 * case.cpus, login
    later = after["total_exits"] - forced(session, after) - others
    assert later == 0, f"{later} exits: {login}\n{after}"
    cpuid = after["exits"]["cpuid"] - login["exits"]["cpuid"]
    assert cpuid == 0 if case.backend == "qemu-svm" else cpuid > 0, cpuid


def messages(session):
    lines = session.answers["dmesg"].splitlines()
    return collections.OrderedDict((debian.normal(line), line) for line in lines)


def noise(case, bare):
    """The kinds of noise that bare boots have."""
    lines = list(bare)
    if case.backend == "qemu-svm":      # the time of Bochs stands still if the host does not let it run
        lines += [debian.normal(line) for line in smp.starved(case).splitlines()]
    return [kind for kind in NOISE if any(re.search(kind, line) for line in lines)]


def excused(line, kinds):
    return any(re.fullmatch(pattern, line) for pattern, _ in DMESG_DIFFERENCES) or \
        any(re.search(kind, line) for kind in kinds)


def in_pieces(lines, others):
    """Lines that the other boot has as two, and these two: another CPU's line came between."""
    found = set()
    for whole in lines:
        for first in others:
            rest = whole[len(first):].strip()
            if first and rest and whole.startswith(first) and rest in others:
                found |= {whole, first, rest}
    return found


@pairs
def test_dmesg_is_bare(case):
    keel, bare = (messages(debian.session(case, entry)) for entry in debian.ENTRIES)
    kinds, pieces = noise(case, bare), in_pieces(bare, keel) | in_pieces(keel, bare)
    found = [f"only under Keel: {line}" for line in keel
             if line not in bare and line not in pieces and not excused(line, kinds)]
    found += [f"only bare: {line}" for line in bare
              if line not in keel and line not in pieces and not excused(line, kinds)]
    assert not found, "\n".join(found)


@pairs
def test_dmesg_has_no_trouble(case):
    keel, bare = (debian.session(case, entry) for entry in debian.ENTRIES)
    kinds = noise(case, messages(bare))
    trouble = [line for line in messages(keel).values() if re.search(TROUBLE, line)
               and debian.normal(line) not in messages(bare) and not excused(line, kinds)]
    assert not trouble, "\n".join(trouble)


def ram(session):
    found = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) : System RAM$", session.answers["iomem"], re.M)
    return sum(int(end, 16) + 1 - int(start, 16) for start, end in found)


@pairs
def test_memory_lost(case):
    keel, bare = (ram(debian.session(case, entry)) for entry in debian.ENTRIES)
    assert 0 < bare - keel <= 4 << 20, f"bare has {bare}, under Keel there is {keel}"


@pairs
def test_cpu_flags(case):
    keel, bare = (set(debian.session(case, entry).answers["cpuflags"].split())
                  for entry in debian.ENTRIES)
    assert bare - keel <= {"vmx", "smx", "svm", "npt", "ept", "vpid", "ept_ad", "tpr_shadow",
                           "vnmi", "flexpriority", "dts", "ds", "dtes64", "ds_cpl", "pebs", "bts",
                           "intel_pt", "hfi"}
    assert not keel - bare


@sessions_of(NETWORKED)
def test_network(case, entry):
    answers = debian.session(case, entry).answers
    assert re.search(r"inet 10\.0\.2\.\d+", answers["address"])
    assert "hello from the host" in answers["fetch"]


def test_power_cut_and_reboot():
    """The plug is pulled under Keel; the same disk boots again, and then once more by itself."""
    folder = settings.WORK / "debian-power-cut"
    setup = debian.setup(Case("qemu-svm", "xapic", 2), folder)

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
