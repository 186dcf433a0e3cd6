# SPDX-License-Identifier: BSD-2-Clause
"""What is in a built disk image, read without starting it."""
import pathlib
import re
import subprocess

import settings

SECTOR = 512
TOOLS = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def run(*argv):
    return subprocess.run(argv, env=TOOLS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True).stdout


def raw_copy(image, path):
    """The image as the disk that the guest sees."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run(settings.emulator("qemu-img"), "convert", "-O", "raw", str(image), str(path))
    return path


class Disk:
    """A raw disk and the root file system on its third partition."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        start = int(run("partx", "-g", "-o", "START", "-n", "3", str(path)))
        self.root_start = start * SECTOR
        self.root = f"{path}?offset={self.root_start}"

    def debugfs(self, command):
        return run("debugfs", "-R", command, self.root)

    def head(self):
        """All before the root file system: partition table, GRUB, EFI system partition."""
        with open(self.path, "rb") as file:
            return file.read(self.root_start)

    def read(self, name):
        return self.debugfs(f"cat {name}")

    def text(self, name):
        return self.read(name).decode(errors="replace")

    def folder(self, name):
        """Name -> mode (a number) of what is in a folder."""
        entries = {}
        for line in self.debugfs(f"ls -p {name}").decode(errors="replace").splitlines():
            fields = line.strip().split("/")
            if len(fields) > 5 and fields[5] not in (".", ".."):
                entries[fields[5]] = int(fields[2], 8)
        return entries

    def files(self, name):
        """The paths of all that is no folder below a folder."""
        found = []
        for entry, mode in self.folder(name).items():
            path = f"{name.rstrip('/')}/{entry}"
            found += self.files(path) if mode >> 12 == 4 else [path]
        return found

    def exists(self, name):
        folder, _, entry = name.rpartition("/")
        return entry in self.folder(folder or "/")

    def link(self, name):
        """Where a symbolic link leads; None if it is none. A long one's text is in a block of its own."""
        stat = self.debugfs(f"stat {name}").decode()
        found = re.search(r'Fast link dest: "(.*)"', stat)
        if found:
            return found[1]
        return self.text(name) if "Type: symlink" in stat else None

    def contains(self, words):
        """Those of some byte strings that stand anywhere on the disk."""
        found, longest, rest = set(), max(map(len, words)), b""
        with open(self.path, "rb") as file:
            while block := file.read(1 << 24):
                found |= {word for word in words if word in rest + block}
                rest = block[-longest:]
        return found
