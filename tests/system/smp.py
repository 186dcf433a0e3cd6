# SPDX-License-Identifier: BSD-2-Clause
"""A small Linux guest that looks at its CPUs (tests/linux): what to run, and what it said."""
import dataclasses
import fcntl
import re

import iso
import machine
import runner
import settings

KERNEL = settings.BUILD / "image" / "vmlinuz"
PROGRAMS = settings.BUILD / "tests" / "linux"
EXITS = settings.BUILD / "tests" / "smp-exits.txt"
MODELS = {"xapic": None, "x2apic": "EPYC,+svm,+npt,+x2apic"}    # QEMU's
# The kernel's tests of its own cryptography take half of a boot in Bochs.
CONSOLE = "console=ttyS0,115200 printk.devkmsg=on panic=-1 cryptomgr.notests"
TROUBLE = r"BUG:|WARNING: CPU|Oops|general protection|unchecked MSR|Kernel panic|APIC error|" \
          r"CPU\d+: [Nn]ot responding|failed to (boot|report)|do_boot_cpu failed"
# What Linux says if its check of the timer's interrupt fails: too few came in a time by the TSC.
NO_TIMER = r"timer not connected to IO-APIC|^\.\.\.trying to set up timer|^\.{5} \(found apic|" \
           r"^\.{5,} (failed|works)"


@dataclasses.dataclass(frozen=True)
class Case:
    backend: str
    apic: str               # what the CPU offers: xapic or x2apic
    cpus: int
    policy: str = ""        # safe or fast; "" is what Keel takes by itself

    def id(self):
        return "-".join(filter(None, [self.backend, self.apic, str(self.cpus), self.policy]))

    def bare(self):
        return dataclasses.replace(self, policy="")


@dataclasses.dataclass
class Result:
    up: int                 # CPUs that Linux has online
    indexes: dict           # CPU -> Keel's index of it, None if it is not under Keel
    text: str
    tail: str

    def outside(self):
        """The CPUs that Keel does not have."""
        return [cpu for cpu, index in self.indexes.items() if index is None]

    def trouble(self):
        return [line for line in self.text.splitlines() if re.search(TROUBLE, line)
                or "] FAIL " in line]

    def count(self, name):
        """The last number that the guest printed behind this name."""
        return int(re.findall(rf"\b{re.escape(name)} (\d+)", self.text)[-1])


def keel_lines(text, pattern=""):
    return [line for line in text.splitlines() if re.search(r"^keel: .*" + pattern, line)]


def parse(text, tail):
    """One boot of the guest, and all that was on the console before."""
    body = text[text.rindex("] SMALL GUEST"):]
    indexes = {int(cpu): None if rest == "bare" else int(rest.split()[-1]) for cpu, rest
               in re.findall(r"\] CPU (\d+) (bare|keel index \d+)$", body, re.M)}
    return Result(int(re.search(r"\] UP (\d+)$", body, re.M)[1]), indexes, text, tail)


def parse_boots(text, tail):
    """Every boot of a run that has several."""
    ends = [m.start() for m in re.finditer(r"\] SMALL GUEST", text)][1:] + [len(text)]
    return [parse(text[:end], tail) for end in ends]


def setup(case, cdrom):
    return machine.Setup(cdrom=cdrom, memory=256, cpus=case.cpus, linux=True,
                         cpu=MODELS[case.apic] if case.backend == "qemu-svm" else None)


def check_cpus(case, result):
    """What every run under Keel must show. The negative control fails exactly this."""
    assert result.up == case.cpus, f"{result.up} CPUs of {case.cpus}\n{result.tail}"
    assert not result.outside(), f"outside Keel: CPUs {result.outside()}\n{result.tail}"
    assert len(set(result.indexes.values())) == case.cpus, f"{result.indexes}\n{result.tail}"


def check_run(case, result):
    """check_cpus(), and nothing else went wrong that goes well without Keel."""
    check_cpus(case, result)
    assert not result.trouble(), "\n".join(result.trouble()) + "\n" + result.tail


def boot_cd(case, folder, keel, words, initramfs, kernel=KERNEL):
    folder.mkdir(parents=True, exist_ok=True)
    path, initrd, cmdline = folder / "boot.iso", PROGRAMS / initramfs, f"{CONSOLE} {words}".strip()
    if keel:
        options = f"apic={case.policy}" if case.policy else ""
        iso.keel_iso(path, keel, kernel, cmdline, options, initrd)
    else:
        iso.bare_iso(path, kernel, cmdline, initrd)
    return path


def run(case, keel=None, words="", initramfs="initramfs", name="", extra=(), kernel=KERNEL):
    """One run to power-off. keel is Keel's file, None runs bare; words are the guest's, extra the emulator's."""
    name = "-".join(filter(None, ["smp", case.id(), "keel" if keel else "bare", name]))
    folder = settings.WORK / name

    def attempt():
        cdrom = boot_cd(case, folder, keel, words, initramfs, kernel)
        usual = setup(case, cdrom)
        with machine.MACHINES[case.backend](dataclasses.replace(usual, extra=extra), folder) as m:
            end = m.expect([rb"\] END\r?\n", rb"\] FAIL [^\n]*\n", rb"keel: halted"])
            assert b"END" in end[0], m.tail()
            m.wait_off()
            return parse(m.text(), m.tail())

    try:
        return runner.with_retry(name, attempt, bare=not keel)
    finally:
        (folder / "boot.iso").unlink(missing_ok=True)


def bare(case):
    case = case.bare()
    return runner.once(settings.WORK / f"smp-bare-{case.id()}", lambda: run(case))


def starved(case):
    """The console of a bare boot whose host hardly lets it run while it looks for its clocks."""
    case = case.bare()
    folder = settings.WORK / f"smp-starved-{case.id()}"

    def attempt():
        cdrom = boot_cd(case, folder, None, "", "initramfs")
        with machine.MACHINES[case.backend](setup(case, cdrom), folder) as m:
            m.expect(rb"Linux version")
            with m.starved():
                m.expect(rb"timer not connected|smp: Bringing up|smpboot: SMP disabled")
            m.expect(rb"\] END\r?\n")
            return m.text()

    return runner.once(folder, lambda: runner.with_retry(folder.name, attempt, bare=True))


def plain_run(case):
    """A boot under Keel and no more; made once."""
    return runner.once(settings.WORK / f"smp-keel-{case.id()}", lambda: run(case, settings.KEEL))


def exit_counts(text):
    found = re.findall(r"^keel: .*exits: (total=\d+.*)$", text, re.M)
    assert found, "no exit counts at power-off"
    return found[-1]


def policy(text):
    """How Keel says that it starts CPUs."""
    found = re.search(r"^keel: \d+ CPUs? under Keel: .*?(hardware wait|\((?:safe|fast)|nothing)", text, re.M)
    assert found, "Keel does not say how it starts CPUs"
    return {"hardware wait": "wait", "(safe": "safe", "(fast": "fast", "nothing": "-"}[found[1]]


def in_x2apic(text):
    return bool(re.search(r"Switched APIC routing to .*x2apic", text))


def record_exits(guest, case, text):
    """A row of the report. Rows stay from run to run; a new one replaces that of the same run."""
    apic = "x2APIC" if in_x2apic(text) else "xAPIC"
    key = f"{guest:8} {case.backend:9} {apic:6} {policy(text):6} {case.cpus:4}  "
    with open(f"{EXITS}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = EXITS.read_text(encoding="ascii").splitlines()[1:] if EXITS.exists() else []
        rows = [row for row in rows if not row.startswith(key)] + [key + exit_counts(text)]
        head = f"{'guest':8} {'machine':9} {'APIC':6} {'policy':6} CPUs  exits"
        EXITS.write_text("\n".join([head, *sorted(rows)]) + "\n", encoding="ascii")
