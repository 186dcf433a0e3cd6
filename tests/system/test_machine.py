# SPDX-License-Identifier: BSD-2-Clause
"""What the harness makes of a machine that hangs: the emulator's fault or not."""
import pytest

import machine

CPU = """CPU#{number}
RAX=ffffffff949123a0 RBX=0000000000000000 RCX=ffff8a9d4f634940 RDX=000000000005269e
RIP={rip} RFL={flags} [----AP-] CPL=0 II=0 A20=1 SMM=0 HLT={halted}
dumping local APIC state for CPU {number}

Timer\t DCR=0x3 (divide by 16) initial_count = 15189 current_count = 0
ISR\t (none)
IRR\t {irr}

APR 0x00 TPR 0x10 DFR 0x0f LDR 0x01 PPR {ppr}
"""
SLEEPS = {"number": 0, "rip": "ffffffff9491250e", "flags": "00000216", "halted": 1, "irr": "236 251 ", "ppr": "0x10"}


def state(**changes):
    """Two CPUs, of which the second is at work."""
    return CPU.format(**SLEEPS | changes) + CPU.format(**SLEEPS | {"number": 1, "halted": 0})


def test_a_cpu_that_is_not_woken():
    assert machine.lost_interrupt([state(), state(irr="251 ")])


@pytest.mark.parametrize("changes", [
    {"halted": 0}, {"flags": "00000016"}, {"irr": "(none)"}, {"ppr": "0xf0"}, {"rip": "ffffffff94912510"}],
    ids=lambda changes: next(iter(changes)))
def test_a_cpu_that_may_wait_or_went_on(changes):
    assert not machine.lost_interrupt([state(), state(**changes)])
    assert not machine.lost_interrupt([state(**changes), state()])


def test_a_monitor_that_does_not_answer():
    assert not machine.lost_interrupt(["", "the emulator's monitor does not answer: timed out"])
