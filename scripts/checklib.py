# SPDX-License-Identifier: BSD-2-Clause
"""What the checks of the sources share: the list of files, findings, and a reader of Kconfig."""

import os
import re
import shutil
import subprocess
import sys

SKIPPED = {".git", "build", "__pycache__", ".pytest_cache"}


class Tree:
    """The sources below @root, and what is wrong with them."""

    def __init__(self, root):
        self.root = os.path.abspath(root)
        self.findings = 0
        self.files = sorted(self._git_files() or self._walk())

    def _git_files(self):
        """What git tracks or would add: a build folder of any name is not in it."""
        if not os.path.exists(os.path.join(self.root, ".git")) or not shutil.which("git"):
            return None
        done = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        names = done.stdout.decode(errors="replace").split("\0")
        return [name for name in names if os.path.isfile(os.path.join(self.root, name))]

    def _walk(self):
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name not in SKIPPED]
            found += [os.path.relpath(os.path.join(folder, name), self.root) for name in names]
        return found

    def path(self, name):
        return os.path.join(self.root, name)

    def exists(self, name):
        return os.path.isfile(self.path(name))

    def lines(self, name):
        """Pairs of line number and line."""
        with open(self.path(name), encoding="utf-8", errors="replace") as file:
            return list(enumerate(file.read().splitlines(), 1))

    def report(self, name, line, text):
        print(f"{name}:{line}: {text}")
        self.findings += 1

    def finish(self):
        sys.exit(1 if self.findings else 0)


class Symbol:
    def __init__(self, name, file, line):
        self.name, self.file, self.line = name, file, line
        self.type = None
        self.default = None
        self.range = None
        self.help_lines = 0


def is_kconfig(name):
    return re.fullmatch(r"Kconfig(\..+)?", os.path.basename(name)) is not None


def read_kconfig(tree):
    """The symbols of all Kconfig files, in order."""
    symbols = []
    for name in tree.files:
        if is_kconfig(name):
            symbols += _read_file(tree, name)
    return symbols


def _read_file(tree, name):
    symbols = []
    symbol = None
    help_indent = None  # None: not in a help text; -1: at its start
    for number, line in tree.lines(name):
        text = line.expandtabs()
        indent = len(text) - len(text.lstrip())
        words = text.split()
        if help_indent is not None and words:
            if help_indent < 0 and indent > 0:
                help_indent = indent
            if indent and indent >= help_indent:
                if symbol:
                    symbol.help_lines += 1
                continue
            help_indent = None
        if not words or words[0].startswith("#"):
            continue
        if words[0] in ("config", "menuconfig"):
            symbol = Symbol(words[1], name, number)
            symbols.append(symbol)
        elif words[0] in ("help", "---help---"):
            help_indent = -1
        elif words[0] in ("bool", "tristate", "int", "hex", "string") and symbol:
            symbol.type = words[0]
        elif words[0] == "range" and symbol:
            symbol.range = words[1:3]
        elif words[0] == "default" and symbol and symbol.default is None:
            symbol.default = re.match(r'default\s+("[^"]*"|\S+)', " ".join(words))[1]
        elif not indent:
            symbol = None
    return symbols
