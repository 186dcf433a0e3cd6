# SPDX-License-Identifier: BSD-2-Clause
"""What the benchmark measures, as data: machines, configurations of Keel, workloads."""
import dataclasses
import re
import sys

import variants


# GRUB commands. QEMU's TSC is no MSR: it says 0, which will do where only the host's clock is looked at.
READ_TSC, PM_TIMER = "rdmsr 0x10", "inl 0x608"


@dataclasses.dataclass(frozen=True)
class Machine:
    backend: str
    emulator: str           # a key of machine.MACHINES
    apic: str               # what its CPUs offer: xapic or x2apic
    cpus: tuple             # how many are tried
    counts: bool            # the TSC counts instructions
    timed: bool             # the host's clock means something
    says: str
    clock: str = READ_TSC   # how GRUB says when it boots
    extra: tuple = ()


MACHINES = {
    "svm": Machine("svm", "qemu-svm", "x2apic", (1, 2, 4), False, True,
                   "QEMU's software CPU: AMD, SVM, x2APIC"),
    # QEMU aborts if a guest goes to x2APIC mode while instructions are counted.
    "svm-counted": Machine("svm", "qemu-svm", "xapic", (1, 2, 4), True, False,
                           "the same with xAPIC, and a TSC that counts the instructions of all CPUs",
                           PM_TIMER, ("-icount", "shift=0,sleep=off")),
    "vmx": Machine("vmx", "bochs-vmx", "x2apic", (1, 2, 4), True, True,
                   "Bochs: Intel, VMX, x2APIC, and a TSC that counts instructions"),
}


@dataclasses.dataclass(frozen=True)
class Workload:
    guest: str              # linux (tests/linux/bench.c) or payload (tests/guest/bench.c)
    rounds: int             # the payload has its own number
    says: str
    least: int = 1          # CPUs


# A guest's workloads run in this order; Linux has booted before the others.
WORKLOADS = {
    "boot": Workload("linux", 1, "from GRUB's boot to the first line of the small Linux' init"),
    "fork": Workload("linux", 1000, "fork, exec of a small program, its end"),
    "faults": Workload("linux", 65536, "a walk over 256 MiB of new memory, by pages"),
    "copy": Workload("linux", 128, "a file is copied in memory, by MiB"),
    "ipi": Workload("linux", 10000, "an interrupt to the other CPU, its end and the answer", least=2),
    "cpuid": Workload("payload", 100000, "CPUID, leaf 0"),
    "deadline": Workload("payload", 100000, "a write of IA32_TSC_DEADLINE, MSR 0x6e0"),
    "wrmsr": Workload("payload", 100000, "a write of IA32_APIC_BASE, which Keel always looks at"),
    "cr0": Workload("payload", 100000, "a change of CR0.TS"),
}


@dataclasses.dataclass(frozen=True)
class Config:
    symbols: tuple = ()     # (symbol, value) where it differs from the configuration that was built
    backends: tuple = ("svm", "vmx")
    cpus: tuple = (1, 2, 4)
    keel: bool = True       # False is the bare machine


def switched(symbol, value="n", *more, backends=("svm", "vmx"), cpus=(1,)):
    """One switch alone is other than usual. Where one CPU shows what it does, its counts are the cleanest."""
    return Config(((symbol, value), *more), backends, cpus)


CONFIGS = {
    "bare": Config(keel=False),
    "default": Config(),
    "classic": Config(variants.defconfig("classic")),
    "msr-map-off": switched("MSR_MAP"),
    "single-cpu-off": switched("SINGLE_CPU"),
    "wait-for-sipi-off": switched("WAIT_FOR_SIPI", backends=("vmx",), cpus=(2,)),
    "x2apic-hint-off": switched("X2APIC_HINT", backends=("svm",), cpus=(2,)),
    # On VMX to be held against wait-for-sipi-off, as hardware wait-for-SIPI makes it void.
    "start-fast": switched("START_SAFE", "n", ("START_FAST", "y"), ("WAIT_FOR_SIPI", "n"), cpus=(2,)),
    "svm-cpuid-pass-off": switched("SVM_CPUID_PASS", backends=("svm",)),
    "cpuid-fast-off": switched("CPUID_FAST", backends=("vmx",)),
    "cr-masks-off": switched("CR_MASKS", backends=("vmx",)),
    "nested-1g-off": switched("NESTED_1G"),
    "nested-2m-off": switched("NESTED_2M", "n", ("NESTED_1G", "n")),
    "tlb-tags-off": switched("TLB_TAGS"),
    "vmrun-only-off": switched("VMRUN_ONLY", backends=("svm",)),
    "vmcb-clean-off": switched("VMCB_CLEAN", backends=("svm",)),
    "lto-off": switched("LTO"),
    "optimize-size": switched("OPTIMIZE_SPEED", "n", ("OPTIMIZE_SIZE", "y")),
}


@dataclasses.dataclass(frozen=True)
class Cell:
    machine: str
    cpus: int
    config: str
    workload: str

    def key(self):
        return f"{self.machine}/{self.cpus}/{self.config}/{self.workload}"


def chosen(env, variable, known):
    """The names that an environment variable selects, in the order of the table; all without one."""
    words = re.split(r"[,\s]+", env.get(variable, "").strip(", \t"))
    if words == [""]:
        return list(known)
    for word in words:
        if word not in known:
            sys.exit(f"error: {variable}: there is no {word!r}: use some of {', '.join(known)}")
    return [name for name in known if name in words]


def number(env, variable, usual):
    text = env.get(variable) or str(usual)
    if not re.fullmatch(r"\d{1,3}", text):
        sys.exit(f"error: {variable}={text} is no number from 0 to 999")
    return int(text)


def plan(env):
    """Every cell that BENCH, BACKENDS (or machines), CONFIGS and CPUS select. CPUS is for the workloads in Linux."""
    workloads = chosen(env, "BENCH", WORKLOADS)
    configs = chosen(env, "CONFIGS", CONFIGS)
    backends = chosen(env, "BACKENDS", MACHINES)
    cpus = [int(n) for n in chosen(env, "CPUS", ["1", "2", "4"])] if env.get("CPUS") else None
    cells = []
    for name, machine in MACHINES.items():
        for config in configs:
            if not {name, machine.backend} & set(backends) or machine.backend not in CONFIGS[config].backends:
                continue
            if not (CONFIGS[config].keel or machine.counts):
                continue    # bare is in the pairs
            for workload in workloads:
                wanted = (cpus or CONFIGS[config].cpus) if WORKLOADS[workload].guest == "linux" else (1,)
                cells += [Cell(name, n, config, workload) for n in wanted
                          if n in machine.cpus and n >= WORKLOADS[workload].least]
    if not cells:
        sys.exit("error: BENCH, BACKENDS, CONFIGS and CPUS select nothing that fits together: see docs/testing.md")
    return cells
