# SPDX-License-Identifier: BSD-2-Clause
"""One session of Debian 11: from the boot menu to power-off, with what was seen on the way."""
import base64
import contextlib
import dataclasses
import http.server
import re
import subprocess
import threading

import machine
import runner
import settings
import smp

MENU_DOWN = "\x0e"      # Ctrl-N
ENTRIES = ("keel", "bare")
MENU = (*ENTRIES, "disk0", "disk1")     # in the menu's order


@dataclasses.dataclass
class Session:
    text: str           # all of the console
    answers: dict       # command -> its output


COMMANDS = {
    "uname": "uname -srm",
    "dmesg": "dmesg --kernel",
    "iomem": "cat /proc/iomem",
    "cpuflags": "grep -m1 ^flags /proc/cpuinfo",
    "units": "systemctl --failed --no-legend --plain",
    "cmdline": "cat /proc/cmdline",
    "cpus": "nproc",
    "stat": "keelctl stat --json || echo status $?",
    "work": "for i in 1 2 3; do ls -lR /etc >/dev/null; done; dd if=/dev/zero of=/root/file bs=1M count=16 conv=fsync"
            " 2>/dev/null; rm /root/file; sleep 2",
    "after": "keelctl stat --json || echo status $?",
    "verify": "keelctl verify || echo status $?",
    "service": "systemctl show -p ActiveState,Result keelctl-verify; journalctl -u keelctl-verify -o cat",
    "pings": "for i in $(seq 0 $(($(nproc) - 1))); do taskset -c $i ./ping 2>&1 || echo bare; done",
}
NETWORK = {
    "address": "for i in $(seq 30); do ip -4 -o addr show scope global | grep inet && break; sleep 1; done",
    "fetch": "exec 3<>/dev/tcp/10.0.2.2/{port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3",
}


def choose(m, entry):
    """Picks the boot menu's entry by keys, as a person would."""
    m.expect(rb"Debian GNU/Linux on Keel")
    m.type(MENU_DOWN * MENU.index(entry) + "\r")


def login(m):
    m.expect(rb"keel login: ")
    m.type("root\r")
    m.expect(rb"Password: ")
    m.type("keel\r")
    m.expect(rb"root@keel:~# ")
    answer(m, "dmesg -n 1; stty -echo cols 500; PS1=")


def answer(m, command):
    """Runs a command in the guest; its output. It must succeed."""
    m.type(f"{command}; echo \"status $?:\"\r")
    m.expect(rb"status (\d+):\r?\n")
    text = machine.plain(m.console.before)
    assert m.console.match[1] == b"0", f"{command} failed:\n{text}\n{m.tail()}"
    return text


def send_ping(m, program="ping"):
    """The program that asks Keel for the index of its CPU (tests/linux/ping.c), typed."""
    text = base64.b64encode((smp.PROGRAMS / program).read_bytes()).decode()
    answer(m, f"echo {text} | base64 -d >ping && chmod +x ping")


def power_off(m):
    m.type("poweroff\r")
    m.wait_off()


@contextlib.contextmanager
def web_server():
    """A page on this host for the guest to fetch; yields its port."""
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from the host")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()


def raw_image():
    """The image in Bochs' format. Runs leave it as it is: their changes go to a journal."""
    def convert():
        raw = settings.WORK / "keel.raw"
        subprocess.run([settings.emulator("qemu-img"), "convert", "-O", "raw",
                        str(settings.IMAGE), str(raw)], check=True)
        return raw
    return runner.once(settings.WORK / "raw", convert)


def overlay(folder, image=settings.IMAGE, kind="qcow2"):
    """A disk for one run on top of an image, which stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "disk.qcow2"
    path.unlink(missing_ok=True)
    subprocess.run([settings.emulator("qemu-img"), "create", "-q", "-f", "qcow2", "-F", kind,
                    "-b", str(image), str(path)], check=True)
    return path


def setup(case, folder):
    assert settings.IMAGE.exists(), f"{settings.IMAGE} is missing: run `make image`"
    if case.backend == "bochs-vmx":
        return machine.Setup(disk=raw_image(), memory=512, cpus=case.cpus)
    return machine.Setup(disk=overlay(folder), memory=512, network=True, board="q35",
                         cpus=case.cpus, cpu=smp.MODELS[case.apic])


def run_session(case, entry):
    folder = settings.WORK / f"debian-{case.id()}-{entry}"

    def run():
        answers = {}
        with machine.MACHINES[case.backend](setup(case, folder), folder) as m, web_server() as port:
            choose(m, entry)
            login(m)
            send_ping(m)
            commands = COMMANDS | (NETWORK if m.setup.network else {})
            for name, command in commands.items():
                answers[name] = answer(m, command.replace("{port}", str(port)))
            power_off(m)
            return Session(m.text(), answers)

    try:
        return runner.with_retry(folder.name, run, bare=entry == "bare")
    finally:
        for leftover in ("disk.qcow2", "journal"):
            (folder / leftover).unlink(missing_ok=True)


def session(case, entry):
    return runner.once(settings.WORK / f"session-{case.id()}-{entry}", lambda: run_session(case, entry))


def normal(line):
    """A line of dmesg without what differs from boot to boot."""
    line = re.sub(r"^\[ *\d+\.\d+\] ", "", line)
    line = re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b", "ADDRESS", line)
    return re.sub(r"\d+(\.\d+)?", "N", line).strip()
