# SPDX-License-Identifier: BSD-2-Clause
"""One emulated machine: QEMU's software CPU with SVM, or Bochs with VMX."""
import contextlib
import dataclasses
import fcntl
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pexpect
import pexpect.fdpexpect

import settings

CRASH_SIGNALS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
# Of a starved emulator, in seconds. Linux waits for a few ticks of 4 ms each, by the host's TSC, for 160
# million cycles: much longer than the first, and gone by after the second.
RUNS, STOPS = 0.01, 0.15
RFLAGS_IF = 1 << 9
SLEEPS = 5      # seconds, in which a CPU that is to wake up has woken up


def plain(raw):
    """Console output without what only a terminal wants."""
    text = raw.decode(errors="replace").replace("\r", "")
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


class EmulatorCrash(Exception):
    """The emulator's own failure: it died, of a signal or at its start, or lost an interrupt."""


class Silence(AssertionError):
    """The console said nothing for so long that the run is taken for hung."""


@dataclasses.dataclass
class Setup:
    """What a machine is made of; None means the emulator's usual."""
    cdrom: pathlib.Path = None
    disk: pathlib.Path = None   # raw for Bochs or if its name ends so, else qcow2
    second: pathlib.Path = None # another one
    memory: int = 256
    cpu: str = None
    no_reboot: bool = False
    network: bool = False
    board: str = "pc"        # QEMU's
    cpus: int = 1
    linux: bool = False      # Bochs': what Linux wants, with a disk always
    bios: pathlib.Path = None   # Bochs'
    extra: tuple = ()        # QEMU's arguments, or Bochs' lines


class Machine:
    """Starts an emulator with COM1 on a socket; use as a context manager."""
    silence = 60
    environment = {}    # what the emulator has beside this process' own
    chatter = 1 << 19   # bytes of console; more is a loop

    def __init__(self, setup, folder):
        self.setup = setup
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.console = None
        self.killed = False

    def __enter__(self):
        self.log = open(self.folder / "console.log", "wb")
        # One at a time: two that start together may both want the same port for their displays.
        with open(settings.WORK / "start.lock", "w", encoding="ascii") as lock, \
                socket.create_server(("127.0.0.1", 0)) as server:
            fcntl.flock(lock, fcntl.LOCK_EX)
            argv = self.command(server.getsockname()[1])
            with open(self.folder / "emulator.log", "wb") as log:
                self.process = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL,
                                                env=os.environ | self.environment,
                                                stdout=log, stderr=subprocess.STDOUT)
            connection = self.accept(server)
        self.console = pexpect.fdpexpect.fdspawn(connection.detach(), timeout=self.silence)
        self.console.logfile_read = self.log
        return self

    def accept(self, server):
        """The emulator's end of COM1. It has run nothing of ours before it opens that."""
        server.settimeout(1)
        for _ in range(int(300 * settings.TIMEOUT_SCALE)):
            try:
                return server.accept()[0]
            except TimeoutError:
                if self.process.poll() is not None:
                    raise EmulatorCrash(f"{type(self).__name__} ended before it opened its serial "
                                        f"port\n{self.tail()}")
        self.kill()
        raise AssertionError("the emulator did not open its serial port\n" + self.tail())

    def __exit__(self, *exc):
        self.kill()
        self.console.close()
        self.log.close()

    def kill(self):
        """Pulls the plug."""
        if self.process.poll() is None:
            self.killed = True
            self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def starved(self):
        """As on a host with far too much to do, the emulator runs for short moments only."""
        def starve():
            while not enough.wait(RUNS):
                self.process.send_signal(signal.SIGSTOP)
                enough.wait(STOPS)
                self.process.send_signal(signal.SIGCONT)

        enough = threading.Event()
        thread = threading.Thread(target=starve)
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join()

    def tail(self):
        """What a person wants to see of a run that went wrong."""
        self.log.flush()
        parts = []
        for name in ("emulator.log", "console.log"):
            path = self.folder / name
            text = path.read_bytes().decode(errors="replace") if path.exists() else ""
            lines = "\n".join(text.replace("\r", "").splitlines()[-25:])
            parts.append(f"--- the end of {path}\n{lines}")
        return "\n".join(parts)

    def crash_check(self):
        """Raises EmulatorCrash if the emulator died of a signal that was not ours."""
        code = self.process.poll()
        if self.killed or code is None:
            return
        number = -code if code < 0 else code - 128
        if number in CRASH_SIGNALS:
            raise EmulatorCrash(f"{type(self).__name__} died of signal {number}")

    def state(self):
        """Each CPU, where the emulator can say it."""
        return ""

    def watch(self, silence):
        """A function that fails once the console is silent too long, or talks without end."""
        limit = (silence or self.silence) * settings.TIMEOUT_SCALE
        last, since = None, time.monotonic()

        def alive(what):
            nonlocal last, since
            self.log.flush()
            seen = self.log.tell()
            if seen > self.chatter:
                raise AssertionError(f"{what}, and a console without end\n{self.tail()}")
            if seen != last:
                last, since = seen, time.monotonic()
            elif time.monotonic() - since > limit:
                states = [self.state()]
                time.sleep(SLEEPS)
                states.append(self.state())
                kind = EmulatorCrash if lost_interrupt(states) else Silence
                raise kind(f"{what}, and silence for {limit:.0f} s\n{self.tail()}\n" + "\n".join(states))

        return alive

    def expect(self, pattern, silence=None):
        """Waits for a pattern as long as the console goes on talking; returns the match."""
        alive = self.watch(silence)
        wanted = pattern if isinstance(pattern, list) else [pattern]
        while True:
            index = self.console.expect(wanted + [pexpect.TIMEOUT, pexpect.EOF], timeout=2)
            if index < len(wanted):
                return self.console.match
            if index > len(wanted):
                code = self.process.wait()
                self.crash_check()
                raise AssertionError(f"the machine ended with {code} before {pattern!r}\n{self.tail()}")
            alive(f"no {pattern!r}")

    def type(self, text):
        """Types at the serial console, slowly enough for a UART without flow control."""
        for char in text:
            self.console.send(char)
            time.sleep(0.01)

    def wait_off(self, silence=None):
        """Waits until the emulator ends by itself; returns its exit status."""
        alive = self.watch(silence)
        while self.process.poll() is None:
            self.console.expect([pexpect.TIMEOUT, pexpect.EOF], timeout=1)
            alive("still on")
            time.sleep(0.05)
        self.console.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1)
        self.log.flush()
        self.crash_check()
        return self.process.returncode

    def text(self):
        """All that COM1 said so far, control sequences removed."""
        self.log.flush()
        return plain((self.folder / "console.log").read_bytes())


def asleep(state):
    """CPU -> RIP of those that sleep, interrupts enabled, over one that their local APIC has for them."""
    found = {}
    for number, cpu in re.findall(r"^CPU#(\d+)\n(.*?)(?=^CPU#|\Z)", state, re.M | re.S):
        flags, halted = re.search(r"RFL=([0-9a-f]+)", cpu), "HLT=1" in cpu
        waiting = re.search(r"^IRR\s+(\d.*)$", cpu, re.M)
        priority = re.search(r"\bPPR 0x([0-9a-f]+)", cpu)
        if not (flags and priority and waiting and halted and int(flags[1], 16) & RFLAGS_IF):
            continue
        highest = max(int(vector) for vector in re.findall(r"\b\d+\b", waiting[1]))
        if highest >> 4 > int(priority[1], 16) >> 4:
            found[number] = re.search(r"RIP=([0-9a-f]+)", cpu)[1]
    return found


def lost_interrupt(states):
    """Whether a CPU sleeps on and on although an interrupt waits for it, by QEMU's monitor.

    No processor does (SDM volume 3, 11.8.4), whatever runs on it: the emulator's thread was not woken.
    """
    return bool(set.intersection(*(set(asleep(state).items()) for state in states)))


def drive(path):
    return f"file={path},format={'raw' if path.suffix == '.raw' else 'qcow2'}"


class Qemu(Machine):
    """QEMU's software CPU: AMD, with SVM."""

    def command(self, port):
        setup = self.setup
        argv = [settings.emulator("qemu-system-x86_64"), "-accel", "tcg", "-machine", setup.board,
                "-cpu", setup.cpu or "EPYC,+svm,+npt", "-m", str(setup.memory),
                "-smp", str(setup.cpus), "-display", "none", "-monitor", "none",
                "-qmp", "unix:monitor,server=on,wait=off",
                "-nic", "user,model=e1000" if setup.network else "none", "-no-user-config",
                "-serial", f"tcp:127.0.0.1:{port}",
                "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if setup.cdrom:
            argv += ["-boot", "d", "-cdrom", str(setup.cdrom)]
        if setup.disk:
            argv += ["-drive", drive(setup.disk)]
        if setup.second:
            argv += ["-drive", drive(setup.second)]
        if setup.no_reboot:
            argv.append("-no-reboot")
        return argv + list(setup.extra)

    @contextlib.contextmanager
    def monitor(self):
        """A function that asks QEMU's monitor; only a machine that hangs is asked."""
        folder = os.open(self.folder, os.O_PATH)    # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(f"/proc/self/fd/{folder}/monitor")
            lines = connection.makefile("rw")

            def ask(what, **arguments):
                lines.write(json.dumps({"execute": what, "arguments": arguments}) + "\n")
                lines.flush()
                return next(answer["return"] for answer in map(json.loads, lines) if "return" in answer)

            ask("qmp_capabilities")
            yield ask
        os.close(folder)

    def state(self):
        try:
            with self.monitor() as ask:
                return "".join(f"CPU#{cpu}\n" + "".join(
                    plain(ask("human-monitor-command", **{"command-line": what, "cpu-index": cpu}).encode())
                    for what in ("info registers", "info lapic"))
                    for cpu in range(self.setup.cpus))
        except (OSError, StopIteration) as wrong:
            return f"the emulator's monitor does not answer: {wrong}"


BOCHSRC = """\
display_library: rfb, options="timeout=0"
romimage: file={bios}, options=fastboot
vgaromimage: file={share}/VGABIOS-lgpl-latest
cpu: model={model}, count={count}, ips=50000000, reset_on_triple_fault=1, ignore_bad_msrs={lenient}
clock: sync=none, time0=1600000000
memory: guest={memory}, host={host_memory}
com1: enabled=1, mode=socket-client, dev=127.0.0.1:{port}
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
{drives}
log: bochs.log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
"""


class Bochs(Machine):
    """Bochs: Intel, with VMX."""
    silence = 240
    model = "corei7_haswell_4770"

    def command(self, port):
        setup = self.setup
        drives = []
        if setup.cdrom:
            drives += [f"ata0-slave: type=cdrom, path={setup.cdrom}, status=inserted",
                       "boot: cdrom"]
        if setup.disk:
            drives += [f"ata0-master: type=disk, path={setup.disk}, mode=volatile, "
                       f"journal={self.folder}/journal, cylinders=0",
                       "boot: cdrom" if setup.cdrom else "boot: disk"]
        if setup.second:
            drives += ["ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15",
                       f"ata1-master: type=disk, path={setup.second}, mode=volatile, "
                       f"journal={self.folder}/journal2, cylinders=0"]
        share = settings.bochs_share()
        # Linux leaves CPUs aside that Bochs calls cores; as threads of one core it takes them.
        linux = setup.linux or bool(setup.disk)
        count = f"1:1:{setup.cpus}" if linux else f"1:{setup.cpus}:1"
        config = BOCHSRC.format(
            share=share, bios=setup.bios or f"{share}/BIOS-bochs-latest", count=count,
            model=setup.cpu or self.model,
            memory=setup.memory, host_memory=min(setup.memory, 512), port=port,
            lenient=int(linux), drives="\n".join([*drives, *setup.extra]))
        (self.folder / "bochsrc").write_text(config)
        (self.folder / "rc").write_text("c\n" * 8)  # it stops at each reset
        return [settings.emulator("bochs"), "-q", "-f", "bochsrc", "-rc", "rc"]


class BochsAmd(Bochs):
    """Bochs: AMD, with SVM. It walks nested tables of two levels, which QEMU does not."""
    model = "ryzen"


MACHINES = {"qemu-svm": Qemu, "bochs-vmx": Bochs, "bochs-svm": BochsAmd}
