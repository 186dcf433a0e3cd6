# SPDX-License-Identifier: BSD-2-Clause
"""The payload guests as data: what to run, on what machine, and how a run ends."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Payload:
    name: str
    options: str = ""       # more words for its command line
    memory: int = 256
    bare: bool = True       # runs without Keel as well
    resets: bool = False    # ends by a reset: the second boot is what is looked for
    powers_off: bool = False

    def id(self):
        return "-".join([self.name, *self.options.split()])


PAYLOADS = [
    Payload("control"),
    Payload("count"),
    Payload("cpuid"),
    Payload("forbidden"),
    Payload("hidden", bare=False),
    Payload("hypercall"),
    Payload("memmap"),
    Payload("memmap", "high", memory=4608),
    Payload("modes"),
    Payload("msr"),
    Payload("mtrr"),
    Payload("nmi"),
    Payload("ports"),
    Payload("reset", "triple", resets=True),
    Payload("reset", "cf9", resets=True),
    Payload("reset", "keyboard", resets=True),
    Payload("reset", "acpi", powers_off=True),
    Payload("step"),
]

# Where Keel's machine may differ from the bare one: backend, a pattern of the key of a SAME line,
# and the bits that may differ. Everything else must be equal.
DIFFERENCES = [
    # Keel shows neither VMX nor SMX.
    ("bochs-vmx", r"cpuid 00000001\.0 ecx", 1 << 5 | 1 << 6),
    # QEMU's software CPU takes reserved bits of EFER, and LME off while paging; Keel answers #GP,
    # as hardware does.
    ("qemu-svm", r"efer (bit (?!0 |8 |10 |11 )\d+|clear LME while active) vector", 0x10d),
    # Keel does not let the guest turn VMX on.
    ("bochs-vmx", r"(flat|paged) cr4 bit 13 (vector|value)", 0xffffffff),
]
