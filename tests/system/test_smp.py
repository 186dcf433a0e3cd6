# SPDX-License-Identifier: BSD-2-Clause
"""A small Linux guest on several CPUs: each must be under Keel, and stay there."""
import dataclasses
import re

import pytest

import debian
import machine
import runner
import settings
import smp
import variants
from smp import Case

QEMU = [Case("qemu-svm", apic, cpus) for cpus in (1, 2, 4) for apic in ("xapic", "x2apic")]
FAST = [Case("qemu-svm", apic, 4, "fast") for apic in ("xapic", "x2apic")]
WAIT = Case("bochs-vmx", "x2apic", 2)
BOCHS = [dataclasses.replace(WAIT, cpus=1), WAIT, dataclasses.replace(WAIT, policy="safe"),
         dataclasses.replace(WAIT, policy="fast")]
# What is done with running CPUs, on one machine of each kind.
FOUR = [Case("qemu-svm", apic, 4) for apic in ("xapic", "x2apic")]


def cases(*lists):
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.id()) for c in sum(lists, [])])


@cases(BOCHS, QEMU, FAST)
def test_all_cpus_under_keel(case):
    bare = smp.bare(case)
    assert bare.up == case.cpus and bare.outside() == list(range(case.cpus)), bare.tail
    result = smp.plain_run(case)
    smp.check_run(case, result)
    smp.record_exits("small", case, result.text)


@cases(FOUR[:1])
def test_starved_host(case):
    """Without Keel Linux misses the timer's interrupts of a machine that its host does not let run."""
    assert any(re.search(smp.NO_TIMER, debian.normal(line)) for line in smp.starved(case).splitlines())


@cases(QEMU[:1], FOUR[:1])
def test_timer_interrupts(case):
    """With clocks that count instructions, whatever the host does, Linux misses none under Keel."""
    result = smp.run(case, settings.KEEL, name="icount", extra=("-icount", "shift=0,sleep=off"))
    smp.check_run(case, result)
    missed = [line for line in result.text.splitlines() if re.search(smp.NO_TIMER, debian.normal(line))]
    assert not missed, "\n".join(missed)


@cases(BOCHS[-1:], FAST)
def test_fast_traps_no_more(case):
    """Once all CPUs run, interrupts between them exit no more; under the safe policy each does."""
    safe = dataclasses.replace(case, policy="safe" if case.backend == "bochs-vmx" else "")
    fast, safe = (int(re.match(r"total=(\d+)", smp.exit_counts(smp.plain_run(c).text))[1])
                  for c in (case, safe))
    assert fast < safe / 2, f"{fast} exits with apic=fast, {safe} without"


@cases([WAIT], FOUR[:1])
def test_lost_cpu_is_found(case):
    """The negative control: with CPU 1 outside Keel exactly that is what fails."""
    keel = variants.keel((("TEST_HOOKS", "y"), ("TEST_LOSE_CPU", "y")))
    result = smp.run(case, keel, name="lost")
    assert result.up == case.cpus and result.outside() == [1], result.tail
    with pytest.raises(AssertionError, match=r"^outside Keel: CPUs \[1\]"):
        smp.check_cpus(case, result)


@cases(FOUR[:1])
def test_more_cpus_than_configured(case):
    result = smp.run(case, variants.keel((("NR_CPUS", 2),)), name="two")
    smp.check_run(dataclasses.replace(case, cpus=2), result)
    assert len(smp.keel_lines(result.text, "CONFIG_NR_CPUS")) == 1, result.tail


@cases([WAIT, dataclasses.replace(WAIT, policy="safe")], FOUR)
def test_offline_online(case):
    result = smp.run(case, settings.KEEL, "offline=3", name="offline")
    smp.check_run(case, result)
    assert result.count("OFFLINE") == 3, result.tail


def check_busy(case, words, nmis, name):
    """NMIs come by the other CPUs' interrupt command registers: there is no PMU to make them."""
    result = smp.run(case, settings.KEEL, f"loglevel=2 {words} nmi={nmis}", name=name)
    smp.check_run(case, result)
    assert result.count("NMI:") == nmis * (case.cpus - 1), result.tail
    assert all(result.count(what) for what in ("forks", "faults", "timers", "barriers")), result.tail


@cases(FOUR)
def test_busy_with_nmis(case):
    check_busy(case, "busy=5", 100, "busy")


def check_kexecs(case, times):
    """In Bochs the digest of a kernel takes so long that Linux believes itself hung."""
    words = f"nosoftlockup kexec={times}"
    result = smp.run(case, settings.KEEL, words, "initramfs-kexec", f"kexec-{times}")
    boots = smp.parse_boots(result.text, result.tail)
    assert len(boots) == times + 1, result.tail
    for boot in boots:
        smp.check_run(case, boot)


@cases(FOUR)
def test_kexec(case):
    check_kexecs(case, 1)


@cases(FOUR[1:])
def test_reboot(case):
    """From several running CPUs through the firmware to several CPUs again."""
    folder = settings.WORK / f"smp-{case.id()}-reboot"

    def run():
        cdrom = smp.boot_cd(case, folder, settings.KEEL, "end=reboot", "initramfs")
        with machine.MACHINES[case.backend](smp.setup(case, cdrom), folder) as m:
            m.expect(rb"\] END\r?\n")
            m.expect(rb"\] END\r?\n")
            return smp.parse_boots(m.text(), m.tail())

    boots = runner.with_retry(folder.name, run)
    assert len(boots) == 2
    for boot in boots:
        smp.check_run(case, boot)
