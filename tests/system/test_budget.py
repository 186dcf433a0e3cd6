# SPDX-License-Identifier: BSD-2-Clause
"""What Keel costs stays within tests/budget.toml; what is over is named."""
import json
import re
import tomllib

import pytest

import payloads
import runner
import settings
import smp
import test_keelctl
from smp import Case

BUDGET = tomllib.loads((settings.TREE / "tests" / "budget.toml").read_text())
CASES = [(Case(entry["machine"], entry["apic"], cpus), entry) for entry in BUDGET["exits"]
         for cpus in entry["cpus"]]


# By reason: what keelctl counts its exits by.
KEYS = {"rdmsr": "msrs", "wrmsr": "msrs", "cpuid": "cpuid", "io": "ports", "memory": "pages",
        "hypercall": "hypercalls"}


def culprits(stat, reason):
    """The MSRs, leaves, ports or pages that most exits come from."""
    counts = stat[KEYS[reason]] if reason in KEYS else {}
    top = sorted(counts, key=counts.get, reverse=True)[:3]
    return f" (most: {', '.join(f'{key} {counts[key]}' for key in top)})" if top else ""


def stat_of(found):
    """What keelctl counted when it was first asked."""
    return json.loads(test_keelctl.outputs(found, "stat --json")[0].lines[0])


def over(counts, entry, cpus):
    """Each reason that has more exits than its budget, and what is to say of it."""
    most = {reason: entry["reasons"].get(reason, 0) + cpus * entry["per-cpu"].get(reason, 0)
            for reason in counts}
    return {reason: f"{reason}: {n} exits, the budget is {most[reason]}" for reason, n in counts.items()
            if n > most[reason]}


@pytest.mark.parametrize("case, entry", [pytest.param(c, e, id=c.id()) for c, e in CASES])
def test_exits(case, entry):
    said = smp.exit_counts(smp.plain_run(case).text)
    counts = {reason: int(n) for reason, n in re.findall(r"([\w-]+)=(\d+)", said)}
    del counts["total"]
    wrong = over(counts, entry, case.cpus)
    if wrong:   # a second boot, which looks at what it was
        stat = stat_of(test_keelctl.run(case, settings.KEEL, "", "budget")[0])
        pytest.fail("\n".join(text + culprits(stat, reason) for reason, text in wrong.items()))


def test_what_is_over_is_named():
    entry = {"reasons": {"cpuid": 10}, "per-cpu": {"cpuid": 5, "wrmsr": 1}}
    assert not over({"cpuid": 20, "wrmsr": 2}, entry, 2)
    assert over({"cpuid": 21, "io": 1}, entry, 2) == {"cpuid": "cpuid: 21 exits, the budget is 20",
                                                      "io": "io: 1 exits, the budget is 0"}


@pytest.mark.parametrize("case, reason, culprit", (
    (test_keelctl.SVM, "wrmsr", "0x830"), (test_keelctl.XAPIC, "memory", "0xfee00000"),
    (test_keelctl.VMX, "cpuid", "0x")))
def test_culprits_are_named(case, reason, culprit):
    found, result = test_keelctl.plain(case)
    assert culprits(stat_of(found), reason).startswith(f" (most: {culprit}"), result.tail
    assert culprits(stat_of(found), "triple-fault") == ""


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
