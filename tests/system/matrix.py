# SPDX-License-Identifier: BSD-2-Clause
"""Keel's three subarchs, each with three kernels, on VMX and SVM: what each pair does, as one table."""
import dataclasses
import fcntl
import re

import machine
import runner
import settings
import smp
import variants

GUESTS = ("686", "686-pae", "amd64")
KERNELS = {guest: settings.BUILD / "guest-kernels" / f"vmlinuz-{guest}" for guest in GUESTS[:2]} | \
    {"amd64": smp.KERNEL}
KEELS = {
    "i386": (("SUBARCH_AMD64", "n"), ("SUBARCH_I386", "y")),
    "PAE": (("SUBARCH_AMD64", "n"), ("SUBARCH_PAE", "y")),
    "amd64": (),
}
BOOTS = "boots"
REFUSED = "refused"
# QEMU's software CPU walks no nested table of two levels, Bochs does.
TABLE = (
    # Keel    machine       686    686-pae amd64
    ("i386",  "bochs-vmx", (BOOTS, BOOTS, REFUSED)),
    ("i386",  "bochs-svm", (BOOTS, BOOTS, REFUSED)),
    ("PAE",   "bochs-vmx", (BOOTS, BOOTS, REFUSED)),
    ("PAE",   "qemu-svm",  (BOOTS, BOOTS, REFUSED)),
    ("amd64", "bochs-vmx", (BOOTS, BOOTS, BOOTS)),
    ("amd64", "qemu-svm",  (BOOTS, BOOTS, BOOTS)),
)
ROWS = settings.BUILD / "tests" / "matrix.txt"


@dataclasses.dataclass(frozen=True)
class Cell:
    keel: str
    backend: str
    guest: str
    outcome: str

    def id(self):
        return f"{self.keel}-{self.backend}-{self.guest}"

    def case(self):
        return smp.Case(self.backend, "x2apic" if self.backend == "bochs-vmx" else "xapic", 2)


CELLS = [Cell(keel, backend, guest, outcome) for keel, backend, outcomes in TABLE
         for guest, outcome in zip(GUESTS, outcomes, strict=True)]


def boot(cell):
    """The small guest to power-off; the usual pair's run is that of test_smp.py."""
    if (cell.keel, cell.guest) == ("amd64", "amd64"):
        return smp.plain_run(cell.case())
    return smp.run(cell.case(), variants.keel(KEELS[cell.keel]), name=f"matrix-{cell.keel}-{cell.guest}",
                   initramfs="initramfs" if cell.guest == "amd64" else "initramfs32",
                   kernel=KERNELS[cell.guest])


def refuse(cell):
    """The console of a boot that Keel must refuse."""
    folder = settings.WORK / f"matrix-{cell.id()}"

    def attempt():
        cdrom = smp.boot_cd(cell.case(), folder, variants.keel(KEELS[cell.keel]), "", "initramfs",
                            KERNELS[cell.guest])
        with machine.MACHINES[cell.backend](smp.setup(cell.case(), cdrom), folder) as m:
            m.expect(rb"keel: halted\r?\n")
            return m.text()

    try:
        return runner.with_retry(folder.name, attempt)
    finally:
        (folder / "boot.iso").unlink(missing_ok=True)


def record(cell, text):
    """A row of the report: the guest's own clock at its end, and its exits."""
    seconds = re.search(r"^\[ *(\d+\.\d+)\] END$", text, re.M)[1]
    key = f"{cell.keel:6} {cell.backend:10} {cell.guest:8} "
    with open(f"{ROWS}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = ROWS.read_text(encoding="ascii").splitlines() if ROWS.exists() else []
        rows = [row for row in rows if not row.startswith(key)]
        rows.append(f"{key}{float(seconds):7.2f} s  {smp.exit_counts(text)}")
        ROWS.write_text("\n".join(sorted(rows)) + "\n", encoding="ascii")
