# SPDX-License-Identifier: BSD-2-Clause
"""Keel on KVM, and on KVM in KVM: real KVM of Debian 11 in QEMU's software CPU."""
import dataclasses
import re

import pytest

import nested
import runner
import settings
import smp
from nested import Case

SMALL = [Case(levels, 2) for levels in (1, 2)]
MOST = 1.10     # exits that the KVM below counts, over those without Keel


def cases(*some):
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.id()) for c in some])


def small(case, words=""):
    """One run of the small guest; made once."""
    name = case.id() + ("-" + re.sub(r"\W", "", words) if words else "")
    return runner.once(settings.WORK / name, lambda: nested.run_small(case, words, name))


@cases(*SMALL)
def test_small_guest(case):
    bare, keel = small(dataclasses.replace(case, keel=False)), small(case)
    assert bare.guest.outside() == list(range(case.cpus)), bare.guest.tail
    smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), keel.guest)
    assert len(smp.keel_lines(keel.guest.text, "hypervisor below: KVMKVMKVM")) == 1
    assert len(smp.keel_lines(keel.guest.text, "KVM below: its guest gets kvmclock-old nopiodelay")) == 1
    for run in (bare, keel):
        assert all("off" in said and not any("QEMU ended" in line for line in said) for said in run.said), \
            run.guest.tail
    nested.record(case, bare, keel)
    ratio = keel.counts[0]["exits"] / bare.counts[0]["exits"]
    assert ratio <= MOST, f"{ratio:.3f}\n{keel.counts}\n{bare.counts}"


@pytest.mark.parametrize("width", (32, 64))
@cases(Case(1, 2, guest="kvm", model=nested.EVERYTHING))
def test_paravirtual_features(case, width):
    """tests/guest/kvm.c on KVM, with and without Keel."""
    bare = nested.run_payload(dataclasses.replace(case, keel=False), width)
    keel = nested.run_payload(case, width)
    for result in (bare, keel):
        assert result.passed > 0 and not result.failed, runner.console(result)
    assert bare.same == keel.same and bare.same, (bare.same, keel.same)


@pytest.mark.parametrize("backend, vendor", (("qemu-svm", "amd"), ("bochs-vmx", "intel")))
def test_kvm_in_the_guest_is_refused(backend, vendor):
    """KVM's modules find a CPU without virtualization, and say so; without Keel one of them finds it."""
    case = smp.Case(backend, "x2apic", 1)
    result = smp.run(case, settings.KEEL, "modules=1", "initramfs-kvm", "modules")
    smp.check_run(case, result)
    loaded = dict(re.findall(r"\] MODULE (\S+) (.*)$", result.text, re.M))
    assert loaded["kvm.ko"] == "loaded"
    assert loaded["kvm-amd.ko"] == loaded["kvm-intel.ko"] == "Operation not supported", result.tail
    assert len(re.findall(r"kvm: (?:disabled by bios|no hardware support)", result.text)) == 2, result.tail
    if backend == "qemu-svm":
        bare = smp.run(case, None, "modules=1", "initramfs-kvm", "modules")
        assert f"MODULE kvm-{vendor}.ko loaded" in bare.text, bare.tail


@cases(Case(1, 1, module="nested=0"))
def test_host_without_nesting(case):
    """Then its guests have no SVM: Keel says what to switch on."""
    text = nested.run_refused(case)
    assert len(re.findall(r"^keel: .*nested=1", text, re.M)) == 1, text


@cases(Case(1, 1, model="qemu64,-svm"))
def test_model_without_svm(case):
    text = nested.run_refused(case)
    assert len(re.findall(r"^keel: .*nested=1", text, re.M)) == 1, text
