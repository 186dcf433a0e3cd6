# SPDX-License-Identifier: BSD-2-Clause
"""The payload guests as data: what to run, on what machine, and how a run ends."""
import dataclasses

import variants


@dataclasses.dataclass(frozen=True)
class Payload:
    name: str
    options: str = ""       # more words for its command line
    backends: tuple = ("qemu-svm", "bochs-vmx")
    memory: int = 256
    cpus: int = 1
    cpu: str = None         # the model, if not the usual
    board: str = "pc"       # QEMU's
    bare: bool = True       # runs without Keel as well
    resets: bool = False    # ends by a reset: the second boot is what is looked for
    powers_off: bool = False
    says: tuple = ()        # patterns of Keel's lines, each as often as it must come
    keel_options: str = ""  # words for Keel's own command line
    config: tuple = ()      # (symbol, value) where Keel's configuration is another than the usual
    halts: bool = False     # ends by Keel's panic; `says` has what it must print
    widths: tuple = (32, 64)
    full: bool = False      # for check-full only

    def id(self):
        config = ["classic"] if self.config == CLASSIC else \
            [f"{symbol}={value}" for symbol, value in self.config]
        words = [self.name, *self.options.split(), *self.keel_options.split(), *config]
        return "-".join(words).replace("=", ".")

    def on_ia32(self):
        """Is Keel 32-bit code, whose guests have no long mode?"""
        return any(config in self.config for config in (("SUBARCH_PAE", "y"), ("SUBARCH_I386", "y")))

    def bare_id(self):
        """What the bare run depends on: the same for all of Keel's options."""
        return "-".join([self.name, *self.options.split(), self.board, str(self.cpus),
                         str(self.memory), str(self.cpu)]).replace("=", ".")


QEMU = ("qemu-svm",)
BOCHS = ("bochs-vmx",)
SAFE = "apic=safe"
SURPLUS = r"keel: .*CONFIG_NR_CPUS"
TRIPLE_FAULT = r"keel: reset: triple fault"
HOOKS = (("TEST_HOOKS", "y"),)
TRAP_ALONE = (("SINGLE_CPU", "n"),)
COUNT_VMCS = (("COUNT_VMCS", "y"),)
# Each CPU but the one that panics says where it stopped, once.
PANIC_STOPS = (r"keel: panic", *(rf"keel: CPU {n}\b.*stopped" for n in (0, 1, 3)))
X2APIC = "EPYC,+svm,+npt,+x2apic"

# Keel in its other modes, and what machine each runs on: QEMU walks no nested table of two levels.
PAE = (("SUBARCH_AMD64", "n"), ("SUBARCH_PAE", "y"))
I386 = (("SUBARCH_AMD64", "n"), ("SUBARCH_I386", "y"))
BOCHS_AMD = ("bochs-svm",)
IA32_SVM = ((PAE, QEMU), (I386, BOCHS_AMD))
IA32_VMX = ((PAE, BOCHS), (I386, BOCHS))
IA32 = (*IA32_SVM, *IA32_VMX)
NOT_BOCHS_AMD = ((PAE, QEMU), *IA32_VMX)


def on_ia32(name, options="", modes=IA32, **how):
    """A payload of 32-bit code under each Keel of 32-bit code.

    PAE on VMX is for check-full: its code is that of PAE on SVM and of i386 on VMX.
    """
    return [Payload(name, options, backends, config=config, widths=(32,), full=(config, backends) == (PAE, BOCHS),
                    **how) for config, backends in modes]


# Every optimisation off: configs/classic_defconfig.
CLASSIC = variants.defconfig("classic")


def off(symbol, name, options="", backends=("qemu-svm", "bochs-vmx"), **how):
    """A payload under a Keel with one optimisation off, for check-full."""
    return Payload(name, options, backends, config=((symbol, "n"),), full=True, **how)


# A CPU whose APIC the guest has disabled.
UNREACHABLE = (r"keel: CPU 3 cannot be stopped: the guest has disabled its local APIC",)

PAYLOADS = [
    Payload("apfault", cpus=4, resets=True, says=(TRIPLE_FAULT,)),
    Payload("apfault", backends=BOCHS, cpus=4, keel_options=SAFE, resets=True,
            says=(TRIPLE_FAULT,)),
    Payload("apicmode", cpus=4, says=UNREACHABLE),
    Payload("apicmode", "x2", QEMU, cpus=4, cpu=X2APIC, says=UNREACHABLE),
    Payload("apicmode", backends=BOCHS, cpus=4, keel_options=SAFE, says=UNREACHABLE),
    Payload("breakpoint"),
    Payload("control"),
    Payload("cost", backends=BOCHS, bare=False),
    # The TSC counts instructions on one CPU alone, whose local APIC is trapped only by force.
    Payload("cost", "x2apic", BOCHS, config=TRAP_ALONE, keel_options=SAFE, bare=False, widths=(64,)),
    Payload("cost", "xapic", BOCHS, config=TRAP_ALONE, keel_options=SAFE, bare=False, widths=(64,)),
    Payload("cost", "xapic pae", BOCHS, config=TRAP_ALONE, keel_options=SAFE, bare=False, widths=(32,)),
    Payload("cost", "xapic pse", BOCHS, config=TRAP_ALONE, keel_options=SAFE, bare=False, widths=(32,)),
    Payload("cost", "msrs", BOCHS, config=(("MSR_MAP", "n"),), bare=False, widths=(64,)),
    Payload("count"),
    Payload("cpuid"),
    # Without 1 GiB pages each GiB takes a page of Keel's, who has 512 in all.
    Payload("demand", "high", QEMU, memory=4608, cpu="EPYC,+svm,+npt,-pdpe1gb"),
    Payload("demand", backends=BOCHS),
    Payload("forbidden"),
    Payload("hidden", bare=False),
    Payload("hidden", "q35", QEMU, board="q35", bare=False),
    Payload("hooks", "panic", cpus=4, config=HOOKS, bare=False, halts=True, says=PANIC_STOPS),
    # What the watchdog sees is no matter of the guest's width.
    Payload("hooks", "hang", cpus=4, config=HOOKS, bare=False, halts=True, widths=(64,),
            says=(r"keel: .*CPU 2 .*has been in Keel",)),
    Payload("hypercall"),
    Payload("ipi", cpus=4),
    Payload("ipi", "x2apic", QEMU, cpus=4, cpu=X2APIC),
    Payload("ipi", "x2apic", BOCHS, cpus=4),
    Payload("ipi", backends=BOCHS, cpus=4, keel_options=SAFE),
    Payload("ipi", "x2apic", BOCHS, cpus=4, keel_options=SAFE),
    Payload("memmap"),
    Payload("memmap", "high", memory=4608),
    Payload("modes"),
    Payload("msr", says=(r"keel: .*microcode update .* is ignored",)),
    Payload("mtrr"),
    Payload("mtrrsmp", cpus=4),
    Payload("mtrrsmp", backends=BOCHS, cpus=4, keel_options=SAFE),
    Payload("nmi"),
    Payload("nmistorm", cpus=4),
    Payload("nmistorm", "x2apic", QEMU, cpus=4, cpu=X2APIC),
    Payload("nmistorm", backends=BOCHS, cpus=4, keel_options=SAFE),
    Payload("ports"),
    Payload("reset", "triple", resets=True),
    Payload("reset", "cf9", resets=True),
    Payload("reset", "keyboard", resets=True),
    Payload("power", says=(r"keel: .*suspend is refused",) * 4),
    Payload("reset", "acpi", powers_off=True),
    Payload("reset", "port92", resets=True),
    Payload("reset", "register", QEMU, board="q35", resets=True,
            says=(r"keel: reset by ACPI; exits: total=",)),
    # The page with the reset register is read first.
    Payload("reset", "touched cf9", board="q35", resets=True),
    Payload("reset", "touched keyboard", board="q35", resets=True),
    Payload("sipi", backends=QEMU, cpus=4),
    # Without a trapped APIC, Bochs loses most INITs that find a CPU in Keel: slow.
    Payload("sipi", "short", BOCHS, cpus=4),
    Payload("sipi", "x2apic", QEMU, cpus=4, cpu=X2APIC),
    Payload("sipi", backends=BOCHS, cpus=4, keel_options=SAFE),
    Payload("sipi", "x2apic", BOCHS, cpus=4, keel_options=SAFE),
    Payload("sipibad", cpus=4),
    Payload("sipibad", "x2apic", QEMU, cpus=4, cpu=X2APIC),
    Payload("sipibad", "x2apic", BOCHS, cpus=4),
    Payload("sipibad", backends=BOCHS, cpus=4, keel_options=SAFE),
    Payload("sipibad", "x2apic", BOCHS, cpus=4, keel_options=SAFE),
    Payload("sipibad", "surplus", cpus=4, config=(("NR_CPUS", 2),), says=(SURPLUS,)),
    Payload("sipibad", "surplus", BOCHS, cpus=4, config=(("NR_CPUS", 2),), keel_options=SAFE,
            says=(SURPLUS,)),
    Payload("smp", cpus=4),
    Payload("smp", "cpus=2", cpus=2),
    Payload("smp", backends=BOCHS, cpus=4, keel_options=SAFE),
    Payload("stores", cpus=2),
    Payload("stores", backends=BOCHS, cpus=2, keel_options=SAFE),
    Payload("step"),
    Payload("task"),
    *(Payload("task", word, BOCHS, widths=(32,), resets=True) for word in ("ss", "pdpte")),
    *(p for name in ("breakpoint", "control", "count", "cpuid", "forbidden", "hypercall", "memmap",
                     "modes", "mtrr", "ports", "task") for p in on_ia32(name)),
    # Bochs' AMD CPU hands a single-step trap that an exit overtook to the host, keeps NMIs out after an injected
    # one until IRET, and ignores the VMCB's CR2: under Keel amd64 as well.
    *(p for name in ("nmi", "step") for p in on_ia32(name, modes=NOT_BOCHS_AMD)),
    *on_ia32("demand", modes=IA32_VMX),
    *on_ia32("hidden", bare=False),
    *on_ia32("memmap", "high", modes=IA32_VMX, memory=4608),
    # Of 4608 MiB QEMU puts 1536 above 4 GiB; Bochs puts 512 there, and 1024 nowhere.
    *(p for modes, hidden in ((IA32_SVM[:1], 1536), (IA32_SVM[1:], 512)) for p in on_ia32(
        "memmap", "cut", modes=modes, memory=4608, bare=False,
        says=(rf"keel: {hidden} MiB of RAM are hidden: .* ends at 4 GiB",))),
    *(p for mode, options in ((PAE, ""), (I386, "nohigh")) for p in on_ia32(
        "msr", options, modes=[way for way in IA32 if way[0] == mode],
        says=(r"keel: .*microcode update .* is ignored",))),
    *on_ia32("reset", "triple", resets=True),
    *on_ia32("apfault", cpus=4, resets=True, says=(TRIPLE_FAULT,)),
    *(p for name in ("ipi", "mtrrsmp", "smp") for p in on_ia32(name, cpus=4)),
    *on_ia32("nmistorm", modes=NOT_BOCHS_AMD, cpus=4),
    *on_ia32("sipi", "short", modes=NOT_BOCHS_AMD, cpus=4),
    *on_ia32("sipi", modes=IA32_VMX, cpus=4, keel_options=SAFE),
    *on_ia32("hooks", "panic", modes=((PAE + HOOKS, QEMU), (I386 + HOOKS, BOCHS)), cpus=4,
             bare=False, halts=True, says=PANIC_STOPS),
    Payload("vmcs", backends=BOCHS, config=COUNT_VMCS, bare=False, widths=(64,)),
    Payload("vmcs", "x2apic", BOCHS, config=COUNT_VMCS + TRAP_ALONE, keel_options=SAFE, bare=False,
            widths=(64,)),
    *on_ia32("vmcs", modes=((PAE + COUNT_VMCS, BOCHS),), bare=False),
    *(Payload(name, config=CLASSIC, **{"widths": (64,), **how}) for name, how in (
        ("control", {}), ("cpuid", {}), ("count", {"options": "msrs crs cpuids pages"}), ("modes", {}), ("mtrr", {}),
        ("msr", {"says": (r"keel: .*microcode update .* is ignored",)}), ("nmi", {}), ("step", {}),
        ("task", {"backends": BOCHS, "widths": (32,)}), ("ipi", {"cpus": 4}),
        ("sipi", {"options": "short", "cpus": 4}))),
    off("MSR_MAP", "msr", says=(r"keel: .*microcode update .* is ignored",)),
    off("MSR_MAP", "modes"),
    off("SVM_CPUID_PASS", "cpuid", backends=QEMU),
    off("CPUID_FAST", "cpuid", backends=BOCHS),
    off("CPUID_FAST", "step", backends=BOCHS),
    off("CPUID_FAST", "nmi", backends=BOCHS),
    off("SINGLE_CPU", "count", "pages", keel_options=SAFE),
    off("MSR_MAP", "count", "msrs"),
    off("SVM_CPUID_PASS", "count", "cpuids", QEMU),
    off("CR_MASKS", "count", "crs", BOCHS),
    off("WAIT_FOR_SIPI", "smp", backends=BOCHS, cpus=4),
    off("X2APIC_HINT", "ipi", "x2apic", QEMU, cpus=4, cpu=X2APIC),
    off("NESTED_2M", "mtrr"),
    off("NESTED_1G", "memmap", "high", memory=4608),
    off("TLB_TAGS", "control"),
    off("TLB_TAGS", "modes"),
    off("CR_MASKS", "control", backends=BOCHS),
    off("CR_MASKS", "modes", backends=BOCHS),
    off("VMRUN_ONLY", "msr", backends=QEMU, says=(r"keel: .*microcode update .* is ignored",)),
    off("VMRUN_ONLY", "sipi", "short", QEMU, cpus=4),
    off("VMCB_CLEAN", "nmi", backends=QEMU),
    off("LTO", "nmistorm", cpus=4),
    Payload("table", says=(r"keel: the guest wrote to the table KEEL",)),
    Payload("table", "q35", QEMU, board="q35", says=(r"keel: the guest wrote to the table KEEL",)),
]

# Where Keel's machine may differ from the bare one: backend, a pattern of the key of a SAME line,
# and the bits that may differ. Everything else must be equal.
DIFFERENCES = [
    # Keel shows neither VMX nor SMX, nor debug store (DTES64 and DS_CPL in ECX, DS in EDX).
    ("bochs-vmx", r"cpuid 00000001\.0 ecx", 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6),
    ("bochs-vmx", r"cpuid 00000001\.0 edx", 1 << 21),
    # Both emulators' INIT sets both; by the manuals it leaves them (SDM volume 3, table 10-1; APM
    # volume 2, table 14-1). On Intel sipi checks that under Keel.
    ("bochs-vmx", r"CD and NW after INIT, .*", 3 << 29),
    ("qemu-svm", r"CD and NW after INIT, .*", 3 << 29),
    # QEMU's software CPU takes reserved bits of EFER, and LME off while paging; Keel answers #GP,
    # as hardware does.
    ("qemu-svm", r"efer (bit (?!0 |8 |10 |11 )\d+|clear LME while active) vector", 0x10d),
    # It takes types in IA32_PAT that do not exist; where writes exit (classic), Keel answers #GP, as hardware does.
    ("qemu-svm", r"wrmsr 00000277 202020202020202 vector", 0x10d),
    # Bochs' BIOS leaves CD and NW set on its AMD model; a guest by SVM begins with both clear.
    ("bochs-svm", r"cr0 at entry|(flat|paged) cr0 .*value", 3 << 29),
    ("bochs-svm", r"(flat|paged) cr0 bit (29|30) vector", 0x10d),
    # Keel does not let the guest turn VMX on.
    ("bochs-vmx", r"(flat|paged) cr4 bit 13 (vector|value)", 0xffffffff),
]

# The same under Keel of 32-bit code, on all machines.
IA32_DIFFERENCES = [
    # Long mode is hidden.
    (r"cpuid 80000001\.0 edx", 1 << 29),
    # On SVM a guest-physical address has 32 bits.
    (r"cpuid 80000008\.0 eax", 0xff),
    # LMA is no bit of EFER then.
    (r"efer bit 10 (vector|value)", 0xffffffff),
]
