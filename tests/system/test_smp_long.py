# SPDX-License-Identifier: BSD-2-Clause
"""`make check-full` only: what fails seldom is done often. docs/testing.md, "Long runs"."""
import datetime
import time

import pytest

import runner
import settings
import smp
from smp import Case
from test_smp import check_busy, check_kexecs

BATCHES = 8     # of boots, so that PART can divide them
BOOTS = 25      # in each
KEXECS = {"qemu-svm": 20, "bochs-vmx": 2}   # one takes minutes in Bochs
FOUR = [Case("qemu-svm", apic, 4) for apic in ("xapic", "x2apic")]
WAIT = Case("bochs-vmx", "x2apic", 2)

pytestmark = pytest.mark.full
cases = pytest.mark.parametrize("case", [pytest.param(c, id=c.id()) for c in [WAIT, *FOUR]])


def report(case, what, since, result="passed"):
    """A row for the table in docs/testing.md."""
    today = datetime.date.today().isoformat()
    with open(settings.BUILD / "tests" / f"long-runs-{today}.txt", "a", encoding="ascii") as f:
        f.write(f"| {today} | {case.id()} | {what} | {result} | {time.monotonic() - since:.0f} s |\n")


@cases
def test_offline_online(case):
    since = time.monotonic()
    result = smp.run(case, settings.KEEL, "offline=100", name="long-offline")
    smp.check_run(case, result)
    assert result.count("OFFLINE") == 100, result.tail
    report(case, "each CPU offline and online 100 times", since)


@cases
def test_kexec(case):
    since = time.monotonic()
    times = KEXECS[case.backend]
    check_kexecs(case, times)
    report(case, f"{times} kexecs in a row", since)


@cases
def test_busy_with_nmis(case):
    since = time.monotonic()
    check_busy(case, "busy=60", 1000, "long-busy")
    report(case, "1000 NMIs to each other CPU, busy for a minute", since)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_boots(batch):
    case, counter, since = FOUR[batch % len(FOUR)], runner.kept(f"boots-{batch}"), time.monotonic()
    first = int(counter.read_text(encoding="ascii")) if counter.exists() else 0
    for done in range(first, BOOTS):
        smp.check_run(case, smp.run(case, settings.KEEL, name=f"boots-{batch}"))
        counter.write_text(f"{done + 1}\n", encoding="ascii")
    if first < BOOTS:
        report(case, f"boots {first + 1} to {BOOTS} of batch {batch + 1} of {BATCHES}", since)
