# SPDX-License-Identifier: BSD-2-Clause
"""Keel built with another configuration than the usual one."""
import fcntl
import os
import re
import subprocess

import settings

NOT_FOR_MAKE = ("O", "K", "PART", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "KCONFIG_CONFIG", "KEEL_ELF")


def make(folder, *args, path=None, wrap=()):
    """The top makefile with a build folder of its own, as from a person's shell."""
    env = {k: v for k, v in os.environ.items() if k not in NOT_FOR_MAKE}
    if path:
        env["PATH"] = path
    return subprocess.run([*wrap, "make", "-C", str(settings.TREE), f"O={folder}", *args], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=600 * settings.TIMEOUT_SCALE)


def with_symbols(config, symbols):
    """The text of a configuration with other values for some symbols."""
    lines = [line for line in config.splitlines()
             if not any(re.match(rf"(# )?CONFIG_{name}\b", line) for name, _ in symbols)]
    return "\n".join(lines + [f"CONFIG_{name}={value}" for name, value in symbols]) + "\n"


def configure(folder, **symbols):
    """Changes the values of some symbols in a build folder."""
    config = folder / ".config"
    config.write_text(with_symbols(config.read_text(), list(symbols.items())))


def keel(symbols):
    """Keel's file for these (symbol, value) pairs, up to date; () is the usual one."""
    if not symbols:
        return settings.KEEL
    folder = settings.BUILD / "tests" / "variants" / "-".join(f"{s}.{v}" for s, v in symbols)
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
