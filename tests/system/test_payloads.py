# SPDX-License-Identifier: BSD-2-Clause
"""Every payload guest, as 32-bit and 64-bit code, on each machine: bare, and under Keel."""
import collections
import re

import pytest

import payloads
import runner

CASES = [pytest.param(p, w, b, id=f"{p.id()}-{w}-{b}", marks=[pytest.mark.full] if p.full else [])
         for p in payloads.PAYLOADS for w in p.widths for b in p.backends
         if p.name != "cost"]     # that is test_budget.py's
# Bare it is the same run, whatever Keel is told.
BARE = list({(c.values[0].bare_id(), *c.values[1:]): c for c in reversed(CASES)
             if c.values[0].bare}.values())[::-1]


def assert_passed(result):
    assert result.passed > 0 and not result.failed, runner.console(result)


@pytest.mark.parametrize("payload, width, backend", BARE)
def test_bare(payload, width, backend):
    assert_passed(runner.bare_result(payload, width, backend))


def allowed(payload, backend, key):
    bits = 0
    for pattern, mask in payloads.IA32_DIFFERENCES if payload.on_ia32() else ():
        if re.fullmatch(pattern, key):
            bits |= mask
    for where, pattern, mask in payloads.DIFFERENCES:
        if where == backend and re.fullmatch(pattern, key):
            bits |= mask
    return bits


def differences(payload, bare, keel, backend):
    """The SAME lines that are not the same, beyond what the table allows."""
    found = [f"{key}: only in one run" for key in bare.keys() ^ keel.keys()]
    for key in bare.keys() & keel.keys():
        if (int(bare[key], 16) ^ int(keel[key], 16)) & ~allowed(payload, backend, key):
            found.append(f"{key}: bare {bare[key]}, under Keel {keel[key]}")
    return sorted(found)


def ranges(result):
    return [(int(a, 16), int(b, 16)) for a, b
            in re.findall(r"^E820 ([0-9a-f]+) ([0-9a-f]+) 1$", result.text, re.M)]


def assert_ram_is_bare_minus_hole(bare, keel):
    hole_start, hole_size = (int(v, 16) for v in re.search(
        r"^REGION ([0-9a-f]+) ([0-9a-f]+)$", keel.text, re.M).groups())
    assert any(s <= hole_start and hole_start + hole_size <= s + n for s, n in ranges(bare)), \
        "Keel's memory is not from the machine's RAM"
    lost = sum(n for _, n in ranges(bare)) - sum(n for _, n in ranges(keel))
    assert 0 < lost <= 4 << 20, f"the guest lost {lost} bytes"


@pytest.mark.parametrize("payload, width, backend", CASES)
def test_keel(payload, width, backend):
    result = runner.run_payload(payload, width, backend, keel=True)
    assert_passed(result)
    for pattern, times in collections.Counter(payload.says).items():
        assert len(re.findall(pattern, result.text)) == times, pattern + runner.console(result)
    if not payload.bare:
        return
    bare = runner.bare_result(payload, width, backend)
    found = differences(payload, bare.same, result.same, backend)
    assert not found, "\n".join(found)
    if payload.name == "memmap":
        assert_ram_is_bare_minus_hole(bare, result)


@pytest.mark.parametrize("width", (32, 64))
@pytest.mark.parametrize("backend", ("qemu-svm", "bochs-vmx"))
def test_negative_control(width, backend):
    """A guest that believes itself under Keel must notice that it is not."""
    result = runner.run_payload(payloads.Payload("hypercall"), width, backend, keel=False,
                                token="keel")
    assert any(line.startswith("FAIL forced exit answers") for line in result.failed), \
        runner.console(result)


@pytest.mark.parametrize("width", (32, 64))
@pytest.mark.parametrize("backend", ("qemu-svm", "bochs-vmx"))
def test_lost_cpu(width, backend):
    """A CPU that Keel leaves outside is found by the check that every guest of several makes."""
    lost = payloads.Payload("smp", cpus=4, config=(("TEST_HOOKS", "y"), ("TEST_LOSE_CPU", "y")))
    result = runner.run_payload(lost, width, backend, keel=True)
    assert any(line.startswith("FAIL forced exit answers on CPU 1 only under Keel")
               for line in result.failed), runner.console(result)


@pytest.mark.parametrize("backend", ("qemu-svm", "bochs-vmx"))
def test_panic_has_the_trace(backend):
    """With CONFIG_TRACE a panic ends with the last exits of each CPU, in order."""
    panics = payloads.Payload("hooks", "panic", cpus=4, halts=True, bare=False,
                              config=(*payloads.HOOKS, ("TRACE", "y")))
    result = runner.run_payload(panics, 64, backend, keel=True)
    numbers = [int(n) for n in re.findall(r"^keel: exit (\d+): [\w-]+, raw 0x", result.text, re.M)]
    starts = [i for i, n in enumerate(numbers) if not i or n != numbers[i - 1] + 1]
    assert len(numbers) >= 8 and len(starts) <= panics.cpus, runner.console(result)
