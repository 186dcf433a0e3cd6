# SPDX-License-Identifier: BSD-2-Clause
"""`make check-full` only: Keel against bare at each depth and number of CPUs. docs/nested-kvm.md."""
import dataclasses
import hashlib
import re

import pytest

import debian
import machine
import nested
import runner
import settings
import smp
from nested import Case
from test_nested import MOST, cases, check_ratio

pytestmark = pytest.mark.full
SMALL = [Case(levels, cpus) for levels in (1, 2) for cpus in (1, 2, 4)] + \
    [Case(1, 1, vendor="intel")]
DEBIAN = [Case(levels, cpus, guest="debian") for levels in (1, 2) for cpus in (1, 2, 4)] + \
    [Case(1, 2, guest="debian", host=host) for host in nested.SUITES[1:]] + [Case(3, 2, guest="debian")]


@cases(*SMALL)
def test_small_guest(case):
    check_ratio(case)


def debian_run(case):
    """Kept with its Keel's digest: an interrupted run goes on where it was."""
    digest = hashlib.sha256(settings.KEEL.read_bytes()).hexdigest()[:12]
    kept = settings.BUILD / "tests" / f"{case.id()}-{digest}"
    return runner.once(kept, lambda: runner.with_retry(
        case.id(), lambda: nested.run_debian(case, settings.WORK / case.id()), bare=not case.keel))


@cases(*DEBIAN)
def test_debian(case):
    bare, keel = debian_run(dataclasses.replace(case, keel=False)), debian_run(case)
    assert bare.went_off_in_order() and keel.went_off_in_order(), keel.tail
    nested.record(case, bare, keel)
    ratio = keel.counts[0]["exits"] / bare.counts[0]["exits"]
    assert ratio <= MOST, f"{ratio:.3f}\n{keel.counts}\n{bare.counts}"


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
