# SPDX-License-Identifier: BSD-2-Clause
"""bench.json: what was measured, of which Keel and which guest, and what follows from it.

A cell is {"of", "date", "rounds", "ticks", "exits": {reason: n}, "pairs": [[bare, keel], ...]} with seconds in
the pairs, or {"of", "date", "none": true} where the CPU does not have what the workload uses.
"""
import fcntl
import json
import os
import statistics

import tables

VERSION = 1
SHORT = 0.2     # seconds of the bare run, below which the host's clock says nothing
FEW = 100       # exits that are nothing beside a workload of millions of instructions


def load(path):
    """The cells of a file; {} if there is none or it is of another version."""
    try:
        data = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return data.get("cells", {}) if data.get("version") == VERSION else {}


def add(path, cells):
    """Puts cells into the file; several processes may do so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(f"{path}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        data = {"version": VERSION, "cells": load(path) | cells}
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n", encoding="ascii")
        os.replace(temporary, path)


def complete(cell, of, pairs):
    """Is nothing more to be measured for this cell?"""
    return bool(cell) and cell["of"] == of and ("none" in cell or len(cell["pairs"]) >= pairs)


def exits(cell):
    return sum(cell["exits"].values())


def ticks(cell):
    """Of one round."""
    return cell["ticks"] / cell["rounds"]


def ratio(cell):
    """Keel's time over bare's, the median of the pairs; None if nothing can be said."""
    pairs = [keel / bare for bare, keel in cell["pairs"] if bare >= SHORT]
    return statistics.median(pairs) if pairs else None


def floor(cells, machine, workload):
    """The emulator's own: the ratio on one CPU, where the default Keel has (nearly) no exits."""
    cell = cells.get(tables.Cell(machine, 1, "default", workload).key())
    if not cell or "none" in cell or exits(cell) > FEW:
        return None
    return ratio(cell)
