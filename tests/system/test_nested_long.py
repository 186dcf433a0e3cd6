# SPDX-License-Identifier: BSD-2-Clause
"""`make check-full` only: Keel against bare at each depth and number of CPUs. docs/nested-kvm.md."""
import dataclasses
import re

import pytest

import debian
import machine
import nested
import runner
import settings
import smp
import variants
from nested import Case
from test_nested import MOST, cases, check_clock, check_ratio, small

pytestmark = pytest.mark.full
BATCHES = 10    # of boots
BOOTS = 20      # in each
OFFLINES = 334  # of each CPU but the first
SMALL = [Case(levels, cpus) for levels in (1, 2) for cpus in (1, 2, 4)] + \
    [Case(1, 2, host=host) for host in nested.SUITES[1:]] + \
    [Case(3, 2)] + [Case(1, cpus, vendor="intel") for cpus in (1, 2)]
DEBIAN = [Case(levels, cpus, guest="debian") for levels in (1, 2) for cpus in (1, 2, 4)] + \
    [Case(1, 2, guest="debian", host=host) for host in nested.SUITES[1:]] + \
    [Case(1, 1, guest="debian", vendor="intel")]


@cases(*SMALL)
def test_small_guest(case):
    check_ratio(case)


@cases(Case(1, 4, model=nested.EVERYTHING))
def test_clock(case):
    """For a minute."""
    run = small(case, "clocks=60")
    check_clock(run)
    assert run.went_off_in_order(), run.tail


def debian_run(case):
    return runner.once(runner.kept(case.id()), lambda: runner.with_retry(
        case.id(), lambda: nested.run_debian(case, settings.WORK / case.id()), bare=not case.keel))


@cases(*DEBIAN)
def test_debian(case):
    bare, keel = debian_run(dataclasses.replace(case, keel=False)), debian_run(case)
    assert bare.went_off_in_order() and keel.went_off_in_order(), keel.tail
    nested.record(case, bare, keel)
    ratio = keel.counts[0]["exits"] / bare.counts[0]["exits"]
    assert ratio <= MOST, f"{ratio:.3f}\n{keel.counts}\n{bare.counts}"


def boots(batch):
    case = Case(1, 4, times=BOOTS)
    run = nested.run_small(case, "", f"{case.id()}-batch-{batch}")
    found = smp.parse_boots(run.text, run.tail)
    assert len(found) == BOOTS and run.went_off_in_order(), run.tail
    for boot in found:
        smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), boot)
    return len(found)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_boots(batch):
    """200 boots to all four CPUs, one host for each batch; a batch that has passed is not made again."""
    assert runner.once(runner.kept(f"nested-boots-{batch}"), lambda: boots(batch)) == BOOTS


@cases(Case(1, 4))
def test_offline_online(case):
    """1002 times a CPU goes and comes back."""
    run = small(case, f"offline={OFFLINES}")
    smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), run.result)
    assert run.result.count("OFFLINE") == OFFLINES and run.went_off_in_order(), run.tail


@cases(Case(1, 2, host="trixie", save=70))
def test_save(case):
    """What `virsh save` and `virsh restore` do to a busy guest under Keel. Debian 11's KVM cannot do that."""
    run = small(case, "busy=60 clocks=10")
    smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), run.result)
    assert "saved" in run.said[0] and "restored" in run.said[0] and run.went_off_in_order(), run.tail


@cases(Case(1, 2, host="trixie", snapshot=70))
def test_snapshot(case):
    """A busy guest under Keel goes on when a snapshot of it has been made. To go back to that: docs/nested-kvm.md."""
    run = nested.run_small(case, "busy=60 clocks=10", f"{case.id()}-snapshot")
    smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), run.result)
    done, snapshots = [line for line in run.said[0] if line.startswith('{"return": "')]
    assert done == '{"return": ""}' and " here " in snapshots and run.went_off_in_order(), run.tail


@cases(Case(1, 2, vendor="intel"))
def test_init_that_repeats(case):
    """What KVM of Linux 5.4 does to a CPU that is kicked: Keel says so before its guest runs."""
    keel = variants.keel((("TEST_HOOKS", "y"), ("TEST_INIT_REPEATS", "y")))
    text = nested.run_refused(case, keel)
    lines = re.findall(r"^keel: .*CPU 1 exits by one INIT again and again: .* give the machine one$", text, re.M)
    assert len(lines) == 1, text


@cases(Case(1, 2, guest="debian", layer="8m"))
def test_layer_full(case):
    """The host has no room for what Debian writes: it sees I/O errors, and Keel lives."""
    def until(m):
        debian.login(m)
        debian.send_ping(m)
        debian.answer(m, "cp ping /dev/shm; echo 4 >/proc/sys/kernel/printk")
        m.type("dd if=/dev/zero of=/var/tmp/zeros bs=1M count=64; sync\r")
        m.expect(rb"I/O error")
        assert re.search(r"keel \d+", debian.answer(m, "true; /dev/shm/ping"))
        m.type("echo o >/proc/sysrq-trigger\r")

    run = nested.run_hosts(case, settings.WORK / "layer-full", nested.debian_image(case), until)
    assert any("BLOCK_IO_ERROR" in line for line in run.said[0]), run.tail


def test_share_gone():
    """The disk that Debian runs from by NBD goes away: it sees I/O errors, and Keel lives."""
    case = smp.Case("qemu-svm", "xapic", 2)
    folder = settings.WORK / "share-gone"
    with nested.served(settings.IMAGE) as (server, port):
        setup = debian.setup(case, folder)
        debian.overlay(folder, f"nbd://127.0.0.1:{port}/keel", "raw")
        with machine.MACHINES[case.backend](setup, folder) as m:
            debian.choose(m, "keel")
            debian.login(m)
            debian.send_ping(m)
            debian.answer(m, "cp ping /dev/shm")
            assert re.search(r"keel \d+", debian.answer(m, "/dev/shm/ping"))
            debian.answer(m, "echo 4 >/proc/sys/kernel/printk")
            server.kill()
            server.wait()
            m.type("echo 3 >/proc/sys/vm/drop_caches; ls -R /usr/share >/dev/null\r")
            m.expect(rb"I/O error")
            assert re.search(r"keel \d+", debian.answer(m, "true; /dev/shm/ping"))
