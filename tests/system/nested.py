# SPDX-License-Identifier: BSD-2-Clause
"""KVM in KVM: hosts of a Debian release, one in the other, with Keel and its guest innermost.

Level 1 is the machine that QEMU's software CPU emulates, or Bochs for Intel; its KVM runs level 2, and so
on; the innermost machine is level LEVELS + 1. What each host does stands in a plan (tests/nested/init).
"""
import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import time

import iso
import machine
import runner
import settings
import smp

SUITES = ("bullseye", "bookworm", "trixie")
# KVM's own counts of why its guests left (Linux arch/x86/kvm/x86.c); the rest of exits has no name.
REASONS = ("halt_exits", "hypercalls", "insn_emulation", "io_exits", "irq_exits", "irq_window_exits",
           "mmio_exits", "nmi_window_exits", "pf_taken", "request_irq_exits", "signal_exits")
# By levels: seconds in which nothing may be said while a host or a firmware boots.
SILENCE = {1: 150, 2: 1800, 3: 3600}
# By levels: the speed of the outermost machine's clocks. Each exit of the innermost guest is tens of the next
# level's, and at full speed the timers of the hosts tick before it has done anything since their last tick.
SPEED = {1: "", 2: "0.2", 3: "0.02"}
# For Debian, whose systemd waits 90 s for the serial port by those clocks. With 3 it was not tried.
DEBIAN_SPEED = {1: "0.3", 2: "0.05", 3: "0.005"}
BOCHS_SILENCE = 1800    # in all; in its debugger it is slow
BAND = 512      # MiB that a host takes for itself; with less it has no large pages for its guest
# Inside KVM; -cpu host would pass on what the software CPU does half, and without RDTSCP each entry has a #GP.
MODEL = "qemu64,+svm,+npt,+x2apic,+rdtscp"
# All that kvm_intel has in Bochs; no named model was tried.
INTEL = "host"
# The small guest's: without the early search for AGP bridges, 32768 accesses to ports, each several exits.
WORDS = "quiet pci=noearly"
# Debian's own installer sets it too. Two levels down, and in Bochs, a character on the console takes milliseconds.
QUIET = "quiet"
# All that QEMU can show of KVM's paravirtual features.
EVERYTHING = MODEL + ",+kvm-pv-unhalt,+kvm-pv-tlb-flush,+kvm-pv-ipi,+kvm-poll-control,+kvm-pv-sched-yield," \
    "+kvm-asyncpf-int"
OUTERMOST = "EPYC,+svm,+npt,+x2apic"
# Its TSCs are one, but a busy emulator makes Linux doubt it; then KVM's clock would differ by CPU. So busy an
# emulator gives it too few ticks in its check of the timer as well; guests of KVM go without that by themselves.
LINUX = "quiet panic=-1 tsc=reliable no_timer_check"
APPEND = f"console=ttyS0 {LINUX}"
# In Bochs the first serial port is the innermost machine's, and the second the host's. cryptomgr: see smp.py.
BOCHS_APPEND = f"console=ttyS1 {LINUX} cryptomgr.notests mitigations=off level=1"
CYLINDER = 16 * 63 * 512    # Bochs' disks have whole ones


@dataclasses.dataclass(frozen=True)
class Case:
    levels: int
    cpus: int
    keel: bool = True
    guest: str = "small"    # or debian, or a payload's name
    host: str = "bullseye"
    vendor: str = "amd"
    module: str = "nested=1"    # parameters of level 1's KVM
    model: str = ""             # the innermost CPU; "" is the usual one
    look: int = 0               # seconds between two looks at each host's guest
    save: int = 0               # seconds after which the innermost host saves its guest and goes on with that
    snapshot: int = 0           # seconds after which it makes a snapshot of its guest
    times: int = 1              # how often that host starts its guest
    layer: str = ""             # what that host may keep of what its guest writes, as tmpfs says it

    def id(self):
        return "-".join(["nested", self.host, self.vendor, str(self.levels), self.guest, str(self.cpus),
                         "keel" if self.keel else "bare"])

    def memory(self, level):
        """MiB of the machine at a level."""
        return (512 if self.guest == "debian" else 256) + BAND * (self.levels + 1 - level)


def host_file(case, name):
    path = settings.BUILD / "nested" / case.host / name
    assert path.exists(), f"{path} is missing: run `make nested-host HOST={case.host}`"
    return path


def inner_ports(case, level):
    """Chardevs of the machine at @level by which the ones deeper in talk."""
    return range(level + 1, case.levels + 2)


def ports(case, level, chardev):
    """A machine's arguments for its ports; @chardev gives the arguments of the deeper levels' own."""
    if level > case.levels:
        return []
    args = ["-device", "virtio-serial"]
    for deeper in inner_ports(case, level):
        args += ["-chardev", chardev(deeper), "-device", f"virtserialport,chardev=c{deeper},name=level{deeper}"]
    return args


def host_disks(root, plan, image):
    return [word for path in (root, plan, image) for word in
            ("-drive", f"file={path},format=raw,if=virtio,readonly=on")]


def guest_disk(case):
    """The innermost machine's. What Debian writes is kept in the host's memory: if that is full, it is told."""
    if case.guest == "debian":
        return ["-drive", "file=/dev/disk3,format=qcow2,if=virtio,snapshot=on,werror=report"]
    # A CD image is a disk as well, and its BIOS reads that with far fewer exits; as few as can be else.
    layer = "snapshot=on" if case.snapshot else "readonly=on"   # a snapshot needs a disk that can be written
    return ["-drive", f"file=/dev/disk3,format=raw,if=virtio,{layer}",
            "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-vga", "none", "-machine", "smm=off"]


def common(case, level):
    return ["-m", str(case.memory(level)), "-smp", str(case.cpus), "-display", "none", "-nic", "none",
            "-no-user-config", *(["-no-reboot"] if level <= case.levels else [])]


def cpu(case, level):
    usual = INTEL if case.vendor == "intel" else MODEL
    return case.model or usual if level > case.levels else usual


def com1(case, level):
    """The chardev that the machine at @level has its first serial port on."""
    return "serial,id=com1,path=/dev/ttyS0" if case.vendor == "intel" else \
        f"pipe,id=com1,path=/dev/virtio-ports/level{level}"


def qemu_in(case, level):
    """Arguments of the QEMU that the host at @level runs."""
    inner = level + 1
    args = ["-enable-kvm", "-monitor", "none", "-cpu", cpu(case, inner), *common(case, inner),
            "-chardev", com1(case, inner), "-serial", "chardev:com1"]
    if inner > case.levels:
        return args + guest_disk(case)
    return args + ["-kernel", "/vmlinuz", "-initrd", "/initrd", "-append", f"'{APPEND} level={inner}'",
                   *host_disks("/dev/disk1", "/dev/disk2", "/dev/disk3"),
                   *ports(case, inner, lambda n: f"pipe,id=c{n},path=/dev/virtio-ports/level{n}")]


def plan(case):
    lines = []
    for level in range(1, case.levels + 1):
        parameters = case.module if level == 1 else "nested=1"
        lines += [f"module_{level}='kvm_{case.vendor} {parameters}'",
                  f"qemu_{level}=\"{' '.join(qemu_in(case, level))}\"",
                  f"look_{level}={case.look or ''}"]
    lines += [f"{name}_{case.levels}={getattr(case, name) or ''}" for name in ("save", "snapshot", "layer", "times")]
    return "\n".join(lines) + "\n"


class Logs:
    """What the hosts have said, in a machine's folder."""
    def host_log(self, level):
        return self.folder / f"level{level}.log"

    def said(self, level):
        """A host's own lines."""
        path = self.host_log(level)
        text = machine.plain(path.read_bytes()) if path.exists() else ""
        return re.findall(r"nested: (.*)", text)

    def tail(self):
        hosts = [f"--- level {level}\n" + "\n".join(self.said(level)[-25:])
                 for level in range(1, self.case.levels + 1)]
        return "\n".join([super().tail(), *hosts])

    def counts(self, level):
        """What the KVM of the host at @level has counted, by name."""
        return {name: int(n) for name, n in
                (line.split()[1:] for line in self.said(level) if line.startswith("count "))}


class Hosts(Logs, machine.Qemu):
    """The outermost machine, AMD; its console is the innermost one's."""
    def __init__(self, case, image, folder):
        super().__init__(machine.Setup(cpus=case.cpus), folder)
        self.case, self.image = case, image
        self.silence = SILENCE[case.levels]
        speeds = DEBIAN_SPEED if case.guest == "debian" else SPEED
        self.environment = {"KEEL_TIME_SCALE": speeds[case.levels]}
        self.resets = folder / "resets.log"

    def crash_check(self):
        """A triple fault ends the machine without a word of its own. None of KVM's guests can do that to its host."""
        super().crash_check()
        if self.resets.exists() and "Triple fault" in self.resets.read_text(encoding="ascii", errors="replace"):
            raise machine.EmulatorCrash(f"the outermost machine had a triple fault\n{self.tail()}")

    def command(self, port):
        case, innermost = self.case, self.case.levels + 1
        text = plan(case)
        path = self.folder / "plan"
        path.write_text(text + "\n" * (-len(text) % 512))

        def chardev(level):
            if level == innermost:
                return f"socket,id=c{level},host=127.0.0.1,port={port}"
            return f"file,id=c{level},path={self.host_log(level)}"

        return [settings.emulator("qemu-system-x86_64"), "-accel", "tcg", "-cpu", OUTERMOST,
                *common(case, 1), "-d", "cpu_reset", "-D", str(self.resets), "-monitor", "none",
                "-qmp", "unix:monitor,server=on,wait=off", "-serial", f"file:{self.host_log(1)}",
                "-kernel", str(host_file(case, "vmlinuz")), "-initrd", str(host_file(case, "initrd")),
                "-append", f"{APPEND} level=1",
                *host_disks(host_file(case, "root.ext4"), path, self.image), *ports(case, 1, chardev)]


def bochs_disk(folder, name, content):
    """A disk's file, with zeros behind its content up to the next cylinder."""
    path = folder / f"{name}.raw"
    path.write_bytes(content)
    os.truncate(path, -(-len(content) // CYLINDER) * CYLINDER)
    return path


class BochsHosts(Logs, machine.Bochs):
    """The outermost machine, Intel: one host only, started from a CD."""
    silence = BOCHS_SILENCE

    def __init__(self, case, image, folder):
        super().__init__(machine.Setup(cpus=case.cpus, memory=case.memory(1), linux=True), folder)
        self.case, self.image = case, image

    def command(self, port):
        setup, folder = self.setup, self.folder
        setup.cdrom = folder / "host.iso"
        iso.bare_iso(setup.cdrom, host_file(self.case, "vmlinuz"), BOCHS_APPEND, host_file(self.case, "initrd"))
        setup.disk = bochs_disk(folder, "root", host_file(self.case, "root.ext4").read_bytes())
        setup.second = bochs_disk(folder, "plan", plan(self.case).encode())
        image = bochs_disk(folder, "image", self.image.read_bytes())
        setup.extra = (f"ata1-slave: type=disk, path={image}, mode=volatile, journal={folder}/journal3, cylinders=0",
                       f"com2: enabled=1, mode=file, dev={self.host_log(1)}")
        bochs, *args = super().command(port)
        # Of its two loops over several CPUs only the debugger's is right: docs/nested-kvm.md.
        return [bochs, *(["-dbg"] if setup.cpus > 1 else []), *args]

    def __exit__(self, *exc):
        super().__exit__(*exc)
        for path in (*self.folder.glob("*.raw"), *self.folder.glob("journal*"), self.folder / "host.iso"):
            path.unlink(missing_ok=True)


def hosts(case, image, folder):
    return (BochsHosts if case.vendor == "intel" else Hosts)(case, image, folder)


def debian_image(case):
    """The built disk with another menu: starts Debian at once, with or without Keel, and quiet where words cost."""
    assert settings.IMAGE.exists(), f"{settings.IMAGE} is missing: run `make image`"
    entry = "keel" if case.keel else "bare"
    options = QUIET if case.levels > 1 or case.vendor == "intel" else ""
    path = settings.BUILD / "run" / f"nested-{entry}{options and '-' + options}.qcow2"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.stat().st_mtime < settings.IMAGE.stat().st_mtime:
        subprocess.run([settings.TREE / "image" / "variant", settings.IMAGE, path, f"saved_entry={entry}",
                        f"guest_options={options}", "timeout=0"], check=True)
    return path


@contextlib.contextmanager
def served(image):
    """`make serve`, on a port of its own; yields the process and the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([settings.TREE / "scripts" / "serve", image, str(port)])
    try:
        while process.poll() is None:
            with socket.socket() as attempt:
                if not attempt.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield process, port
    finally:
        process.kill()
        process.wait()


def debian_session(m):
    """To Debian's prompt and on the way off; seconds to the prompt."""
    start = time.monotonic()
    m.expect(rb"keel login: ")
    seconds = time.monotonic() - start
    m.type("root\r")
    m.expect(rb"Password: ")
    m.type("keel\r")
    m.expect(rb"root@keel:~# ")
    m.type("poweroff\r")
    return seconds


@dataclasses.dataclass
class Run:
    result: object          # what until() said
    text: str               # of the innermost machine
    tail: str
    said: list              # by level, the host's lines
    counts: list            # by level, what its KVM counted
    seconds: float

    def went_off_in_order(self):
        """Each host has seen its guest go off by itself, and went off then."""
        return all("off" in said and not any("QEMU ended" in line for line in said) for said in self.said)


def run_hosts(case, folder, image, until, watch=contextlib.nullcontext):
    """Power-on to power-off; until(m) ends with the innermost machine on its way off."""
    start = time.monotonic()
    with hosts(case, image, folder) as m, watch(m):
        try:
            result = until(m)
        except machine.Silence as wrong:
            if m.said(case.levels):
                raise
            raise machine.EmulatorCrash(f"the hosts did not come up, and no Keel ran yet: {wrong}") from wrong
        m.wait_off()
        levels = range(1, case.levels + 1)
        return Run(result, m.text(), m.tail(), [m.said(level) for level in levels],
                   [m.counts(level) for level in levels], time.monotonic() - start)


def run_debian(case, folder, watch=contextlib.nullcontext):
    folder.mkdir(parents=True, exist_ok=True)
    return run_hosts(case, folder, debian_image(case), debian_session, watch)


def run_small(case, words="", name=None):
    name = name or case.id()
    folder = settings.WORK / name

    def until(m):
        for _ in range(case.times):
            end = m.expect([rb"\] END\r?\n", rb"\] FAIL [^\n]*\n", rb"keel: halted"])
            assert b"END" in end[0], m.tail()
        return smp.parse(m.text(), m.tail())

    def attempt():
        image = smp.boot_cd(smp.Case("qemu-svm", "x2apic", case.cpus), folder,
                            settings.KEEL if case.keel else None, f"{WORDS} {words}", "initramfs")
        return run_hosts(case, folder, image, until)

    return runner.with_retry(name, attempt, bare=not case.keel)


def run_payload(case, width):
    """A payload as the innermost machine's system; its result."""
    folder = settings.WORK / f"{case.id()}-{width}"
    folder.mkdir(parents=True, exist_ok=True)
    image, guest = folder / "boot.iso", settings.GUESTS / f"{case.guest}{width}"
    if case.keel:
        iso.keel_iso(image, settings.KEEL, guest, "keel")
    else:
        iso.bare_iso(image, guest, "bare")

    def until(m):
        m.expect(rb"DONE (\d+) (\d+)\r?\n")
        return runner.parse(m.text(), m.tail())

    return runner.with_retry(folder.name, lambda: run_hosts(case, folder, image, until).result, bare=not case.keel)


def run_refused(case, keel=settings.KEEL):
    """The console of a machine on which Keel does not start; it is pulled out."""
    folder = settings.WORK / re.sub(r"[^\w-]", "", f"{case.id()}-{case.module}-{case.model}")
    image = smp.boot_cd(smp.Case("qemu-svm", "x2apic", case.cpus), folder, keel, "", "initramfs")
    with hosts(case, image, folder) as m:
        m.expect(rb"keel: halted")
        return m.text()


def login(run):
    return f"{run.result:.0f} s" if isinstance(run.result, float) else "-"


def record(case, bare, keel):
    """Rows for docs/nested-kvm.md."""
    path = settings.BUILD / "tests" / "nested-exits.txt"
    with open(path, "a", encoding="ascii") as file:
        for level in range(case.levels):
            counts = [run.counts[level] for run in (bare, keel)]
            reasons = "; ".join(f"{name} {counts[0][name]} {counts[1][name]}" for name in REASONS
                                if counts[0].get(name) or counts[1].get(name))
            exits = [count["exits"] for count in counts]
            file.write(f"{case.id()} level {level + 1}: {exits[0]} {exits[1]} {exits[1] / exits[0]:.3f} ({reasons}) "
                       f"{bare.seconds:.0f} s {keel.seconds:.0f} s; login {login(bare)} {login(keel)}\n")
