# SPDX-License-Identifier: BSD-2-Clause
"""Keel built with another configuration than the usual one."""
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess

import settings

NAME_MAX = 100      # of a folder
NOT_FOR_MAKE = ("O", "K", "PART", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "KCONFIG_CONFIG", "KEEL_ELF")


def start(folder, *args, path=None, wrap=(), tree=settings.TREE):
    """The top makefile with a build folder of its own, as from a person's shell; a process."""
    env = {k: v for k, v in os.environ.items() if k not in NOT_FOR_MAKE}
    if path:
        env["PATH"] = path
    return subprocess.Popen([*wrap, "make", "-C", str(tree), f"O={folder}", *args], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            start_new_session=True)


def make(folder, *args, **how):
    """The same, to its end."""
    process = start(folder, *args, **how)
    try:
        said = process.communicate(timeout=900 * settings.TIMEOUT_SCALE)[0]
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, said)


def seeded(folder, build=settings.BUILD):
    """A build folder with another one's configuration and root file system, newer than the sources."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "rootfs").mkdir(parents=True)
    shutil.copyfile(build / ".config", folder / ".config")
    assert make(folder, "olddefconfig").returncode == 0
    # Files of symbols that were never set are made when they are asked for: too late.
    for source in (build / "include" / "config").rglob("*.h"):
        symbol = folder / source.relative_to(build)
        symbol.parent.mkdir(parents=True, exist_ok=True)
        symbol.touch()
    # The guest is made of keelctl too, and keelctl is copied only if it differs.
    (folder / "keelctl").mkdir()
    shutil.copyfile(build / "keelctl" / "keelctl", folder / "keelctl" / "keelctl")
    products = [path for path in (build / "rootfs").iterdir() if path.is_file()]
    for source in sorted(products, key=lambda path: path.name != "inputs"):
        subprocess.run(["cp", "--sparse=always", source, folder / "rootfs"], check=True)
    if (build / "rootfs" / "live").exists():
        shutil.copytree(build / "rootfs" / "live", folder / "rootfs" / "live",
                        ignore=shutil.ignore_patterns("debs", "tree"), copy_function=shutil.copyfile)
    return folder


def with_symbols(config, symbols):
    """The text of a configuration with other values for some symbols."""
    lines = [line for line in config.splitlines()
             if not any(re.match(rf"(# )?CONFIG_{name}\b", line) for name, _ in symbols)]
    return "\n".join(lines + [f"CONFIG_{name}={value}" for name, value in symbols]) + "\n"


def configure(folder, **symbols):
    """Changes the values of some symbols in a build folder."""
    config = folder / ".config"
    config.write_text(with_symbols(config.read_text(), list(symbols.items())))


def defconfig(name):
    """A named configuration as (symbol, value) pairs."""
    text = (settings.TREE / "configs" / f"{name}_defconfig").read_text()
    return tuple((off or on, "n" if off else value) for off, on, value in re.findall(
        r"^# CONFIG_(\w+) is not set$|^CONFIG_(\w+)=(.*)$", text, re.M))


def keel(symbols):
    """Keel's file for these (symbol, value) pairs, up to date; () is the usual one."""
    if not symbols:
        return settings.KEEL
    name = "-".join(f"{s}.{v}" for s, v in symbols)
    if len(name) > NAME_MAX:
        name = hashlib.sha256(name.encode()).hexdigest()[:16]
    folder = settings.BUILD / "tests" / "variants" / name
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = with_symbols((settings.BUILD / ".config").read_text(), symbols)
        source = folder / "config"      # what .config was made from: make may complete that one
        if not source.exists() or source.read_text() != wanted:
            (folder / ".config").write_text(wanted)
            source.write_text(wanted)
        done = make(folder, "hypervisor")
        assert done.returncode == 0, done.stdout
    return folder / "hypervisor" / "keel.elf"
