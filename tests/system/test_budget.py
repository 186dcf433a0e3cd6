# SPDX-License-Identifier: BSD-2-Clause
"""What Keel costs stays within tests/budget.toml, which names what is over."""
import re
import tomllib

import pytest

import payloads
import runner
import settings
import smp
from smp import Case

BUDGET = tomllib.loads((settings.TREE / "tests" / "budget.toml").read_text())
CASES = [(Case(entry["machine"], entry["apic"], cpus), entry) for entry in BUDGET["exits"]
         for cpus in entry["cpus"]]


def over(counts, entry, cpus):
    """Each reason that has more exits than its budget."""
    most = {reason: entry["reasons"].get(reason, 0) + cpus * entry["per-cpu"].get(reason, 0)
            for reason in counts}
    return [f"{reason}: {n} exits, the budget is {most[reason]}" for reason, n in counts.items()
            if n > most[reason]]


@pytest.mark.parametrize("case, entry", [pytest.param(c, e, id=c.id()) for c, e in CASES])
def test_exits(case, entry):
    said = smp.exit_counts(smp.plain_run(case).text)
    counts = {reason: int(n) for reason, n in re.findall(r"([\w-]+)=(\d+)", said)}
    del counts["total"]
    assert not over(counts, entry, case.cpus), "\n".join(over(counts, entry, case.cpus))


def test_what_is_over_is_named():
    entry = {"reasons": {"cpuid": 10}, "per-cpu": {"cpuid": 5, "wrmsr": 1}}
    assert over({"cpuid": 20, "wrmsr": 2}, entry, 2) == []
    assert over({"cpuid": 21, "io": 1}, entry, 2) == ["cpuid: 21 exits, the budget is 20",
                                                      "io: 1 exits, the budget is 0"]


COSTS = [(p, w) for p in payloads.PAYLOADS if p.name == "cost" for w in p.widths]


@pytest.mark.parametrize("cost, width", [pytest.param(p, w, id=f"{p.options or 'usual'}-{w}")
                                         for p, w in COSTS])
def test_instructions(cost, width):
    result = runner.run_payload(cost, width, "bochs-vmx", keel=True)
    most = BUDGET["instructions"][cost.options or "usual"]
    costs = {name: int(n) for name, n in re.findall(r"^COST ([\w-]+): (\d+)$", result.text, re.M)}
    assert not result.failed and most.keys() <= costs.keys(), runner.console(result)
    too_many = [f"{name}: {costs[name]} instructions, the budget is {n}"
                for name, n in most.items() if costs[name] > n]
    assert not too_many, "\n".join(too_many)


def test_start():
    """Keel's own start on a machine with 4 CPUs, from the loader to the guest."""
    smp4 = payloads.Payload("smp", cpus=4, keel_options="loglevel=3")
    said = runner.run_payload(smp4, 64, "bochs-vmx", keel=True).text
    ticks = int(re.search(r"^keel: started in (\d+) TSC ticks", said, re.M)[1])
    assert ticks <= BUDGET["start"]["instructions"], f"{ticks} ticks, which are instructions or more"


def test_boot():
    """The small Linux guest up to its init, in instructions since power-on, against a bare machine's."""
    case = Case("bochs-vmx", "x2apic", 1)
    bare, keel = (result.count("TICKS") for result in (smp.bare(case), smp.plain_run(case)))
    most = BUDGET["start"]["boot-over-bare"]
    assert keel <= bare * most, f"{keel} instructions, bare {bare}: {keel / bare:.3f}, the budget is {most}"
