# SPDX-License-Identifier: BSD-2-Clause
"""Keel on KVM, and on KVM in KVM: real KVM of Debian 11 in QEMU's software CPU."""
import dataclasses
import os
import re
import subprocess

import pytest

import nested
import runner
import settings
import smp
from nested import Case

MOST = 1.10     # exits that the KVM below counts, over those without Keel


def cases(*some):
    return pytest.mark.parametrize("case", [pytest.param(c, id=c.id()) for c in some])


def small(case, words=""):
    """One run of the small guest; made once."""
    name = case.id() + ("-" + re.sub(r"\W", "", words) if words else "")
    return runner.once(settings.WORK / name, lambda: nested.run_small(case, words, name))


def check_small(case):
    keel = small(case)
    smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), keel.result)
    assert len(smp.keel_lines(keel.text, "hypervisor below: KVMKVMKVM")) == 1
    assert len(smp.keel_lines(keel.text, "KVM below: its guest gets kvmclock-old nopiodelay")) == 1
    assert keel.went_off_in_order(), keel.tail
    return keel


def check_ratio(case):
    """Bare against Keel: what the hosts' KVM have counted."""
    bare, keel = small(dataclasses.replace(case, keel=False)), check_small(case)
    assert bare.result.outside() == list(range(case.cpus)), bare.tail
    nested.record(case, bare, keel)
    ratio = keel.counts[0]["exits"] / bare.counts[0]["exits"]
    assert ratio <= MOST, f"{ratio:.3f}\n{keel.counts}\n{bare.counts}"


def check_clock(run):
    """kvmclock, which reads a page of each CPU's own, is one clock for all CPUs."""
    source, switches, backwards = re.search(r"CLOCK (\S+): \d+ reads, (\d+) times another CPU, (\d+) backwards",
                                            run.text).groups()
    assert source == "kvm-clock" and int(switches) > 100 and backwards == "0", run.tail


@cases(Case(1, 2, model=nested.EVERYTHING))
def test_busy(case):
    """With each paravirtual feature of KVM's that Linux uses: CPUs that come, go, flush and interrupt each other."""
    run = small(case, "offline=2 busy=5 nmi=10 clocks=5")
    smp.check_run(smp.Case("qemu-svm", "x2apic", case.cpus), run.result)
    assert re.search(r"KVM below: .*steal-time pv-eoi pv-unhalt pv-tlb-flush pv-ipi", run.text), run.tail
    assert run.went_off_in_order(), run.tail
    assert run.result.count("OFFLINE") == 2 and run.result.count("NMI:") == 10, run.tail
    check_clock(run)


def passed(case, width):
    result = nested.run_payload(case, width)
    assert result.passed > 0 and not result.failed, runner.console(result)
    return result


@pytest.mark.parametrize("width", (pytest.param(32, marks=pytest.mark.full), 64))
@cases(Case(1, 2, guest="kvm", model=nested.EVERYTHING))
def test_paravirtual_features(case, width):
    """tests/guest/kvm.c on KVM, with and without Keel."""
    bare, keel = passed(dataclasses.replace(case, keel=False), width), passed(case, width)
    assert bare.same == keel.same and bare.same, (bare.same, keel.same)


@cases(Case(2, 2))
def test_two_levels(case):
    """The report's own case: KVM in KVM, and two CPUs."""
    check_small(case)


@pytest.mark.full
@cases(Case(2, 2, guest="kvm"))
def test_paravirtual_features_of_two_levels(case):
    passed(case, 64)


@pytest.mark.parametrize("backend, vendor", (
    ("qemu-svm", "amd"), pytest.param("bochs-vmx", "intel", marks=pytest.mark.full)))
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


def test_serve():
    """What `make serve` offers is the disk, bit by bit."""
    with nested.served(settings.IMAGE) as (_, port):
        done = subprocess.run([settings.emulator("qemu-img"), "compare", "-f", "qcow2", "-F", "raw", settings.IMAGE,
                               f"nbd://127.0.0.1:{port}/keel"], capture_output=True, text=True, check=False)
    assert done.stdout == "Images are identical.\n", done


def said(command, **env):
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | env)
    assert done.returncode != 0 and not done.stdout, done
    return done.stderr


@pytest.mark.parametrize("name, value", (("LEVELS", "0"), ("LEVELS", "two"), ("SMP", "9"), ("HOST", "buster"),
                                         ("VENDOR", "arm"), ("BARE", "yes")))
def test_bad_arguments(name, value):
    """One line, which names the variable and what to do."""
    line = said([settings.TREE / "tests" / "system" / "nested-run", "--check"], **{name: value})
    assert re.fullmatch(rf"error: {name}={value}\b.*\n", line), line


def test_one_intel_host():
    line = said([settings.TREE / "tests" / "system" / "nested-run", "--check"], VENDOR="intel", LEVELS="2")
    assert re.fullmatch(r"error: LEVELS=2 .*VENDOR=intel: use LEVELS=1\b.*\n", line), line


@pytest.mark.parametrize("port", ("0", "65536", "http"))
def test_bad_port(port):
    line = said([settings.TREE / "scripts" / "serve", settings.IMAGE, port])
    assert line == f"error: PORT={port} is no port: use 1 to 65535\n"
