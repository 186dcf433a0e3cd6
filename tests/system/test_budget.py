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


@pytest.mark.parametrize("width", (32, 64))
def test_instructions(width):
    cost = next(p for p in payloads.PAYLOADS if p.name == "cost")
    result = runner.run_payload(cost, width, "bochs-vmx", keel=True)
    costs = {name: int(n) for name, n in re.findall(r"^COST ([\w-]+): (\d+)$", result.text, re.M)}
    assert costs.keys() == BUDGET["instructions"].keys(), runner.console(result)
    too_many = [f"{name}: {n} instructions, the budget is {BUDGET['instructions'][name]}"
                for name, n in costs.items() if n > BUDGET["instructions"][name]]
    assert not too_many, "\n".join(too_many)
