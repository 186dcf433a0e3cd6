# SPDX-License-Identifier: BSD-2-Clause
"""Each Keel with each kernel, on VMX and SVM, with two CPUs: matrix.py's table."""
import re

import pytest

import matrix
import settings
import smp


def cells(outcome):
    return pytest.mark.parametrize("cell", [pytest.param(c, id=c.id()) for c in matrix.CELLS
                                            if c.outcome == outcome])


@cells(matrix.BOOTS)
def test_boots(cell):
    """To both CPUs under Keel, in the kernel and the Keel that were meant, and off again."""
    result = matrix.boot(cell)
    smp.check_run(cell.case(), result)
    assert re.search(rf"^keel: Keel \S+ {cell.keel} by {'VMX' if 'vmx' in cell.backend else 'SVM'} on ",
                     result.text, re.M), result.tail
    assert re.search(rf"Linux version 5\.10\.\d+-\d+-{cell.guest} ", result.text), result.tail
    matrix.record(cell, result.text)


@cells(matrix.REFUSED)
def test_refused(cell):
    text = matrix.refuse(cell)
    assert smp.keel_lines(text) == [
        f"keel: kernel module: a 64-bit kernel, which Keel {cell.keel} cannot run: use a 32-bit kernel, "
        "or Keel amd64",
        "keel: halted"], text
    assert "Linux version" not in text


@pytest.mark.parametrize("backend", ["qemu-svm", pytest.param("bochs-vmx", marks=pytest.mark.full)])
def test_kexec_into_64_bits(backend):
    """One boot from real mode by 32-bit paging to long mode: 686 starts the amd64 kernel by kexec."""
    cell = next(c for c in matrix.CELLS if (c.keel, c.backend, c.guest) == ("amd64", backend, "686"))
    result = smp.run(cell.case(), settings.KEEL, "nosoftlockup kexec=1", "initramfs32-kexec", "kexec-686",
                     kernel=matrix.KERNELS["686"])
    for boot in smp.parse_boots(result.text, result.tail):
        smp.check_run(cell.case(), boot)
    assert re.findall(r"Linux version 5\.10\.\d+-\d+-(\S+) ", result.text) == ["686", "amd64"], result.tail
