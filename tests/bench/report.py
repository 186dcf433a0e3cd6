# SPDX-License-Identifier: BSD-2-Clause
"""The results as tables of text and Markdown."""
import tables
import results

NOT_RUN = "?"
NOT_HERE = "none"       # the CPU does not have it
NOT_TIMED = "-"
LEGEND = f"""\
exits: in all rounds. ticks: of one round, Keel's included, and how many times bare's that is. time: Keel's over
bare's, the median of pairs in turn, which depends on what else the host does; no test looks at it. floor: the same
time on one CPU with the default Keel, if it has at most {results.FEW} exits there: what is left is the emulator's
nested paging, not Keel.
{NOT_RUN}: not run. {NOT_HERE}: this CPU has no such MSR. {NOT_TIMED}: not timed, or too short for it, or more CPUs than the host has."""


def amount(n):
    """Six digits at most."""
    for unit in ("", " M", " G"):
        if n < 1000000:
            return f"{n:.0f}{unit}" if not unit or n >= 100 else f"{n:.1f}{unit}"
        n /= 1000000 if not unit else 1000
    return f"{n:.0f} T"


def times(n):
    return NOT_TIMED if n is None else f"{n:.2f}"


def exits_of(cell, _):
    return amount(results.exits(cell))


def ticks_of(cell, bare):
    over = f" x{results.ticks(cell) / results.ticks(bare):.3f}" if bare and bare is not cell else ""
    return amount(results.ticks(cell)) + over


def time_of(cell, _):
    return times(results.ratio(cell))


# Title, what stands for a cell (with the bare machine's, None if it was not run), whether a machine has it.
MEASURES = {
    "exits": ("exits", exits_of, lambda machine: True),
    "ticks": ("ticks of one round", ticks_of, lambda machine: machine.counts),
    "time": ("time, times bare", time_of, lambda machine: machine.timed),
}


def show(measure, key, cells):
    """What stands for a cell that was measured."""
    machine, cpus, _, workload = key.split("/")
    if "none" in cells[key]:
        return NOT_HERE
    return MEASURES[measure][1](cells[key], cells.get(f"{machine}/{cpus}/bare/{workload}"))


def rows_of(machine, cells):
    """(CPUs, configuration) of every row: those that the tables have, and those that somebody asked for."""
    found = {(cell.cpus, cell.config) for cell in tables.plan({}) if cell.machine == machine}
    found |= {(int(key.split("/")[1]), key.split("/")[2]) for key in cells if key.startswith(machine + "/")}
    names = list(tables.CONFIGS)
    return sorted((row for row in found if row[1] in names), key=lambda row: (row[0], names.index(row[1])))


def make(machine, measure, cells, whole):
    """A table of text cells, its head first; the whole one has rows of which nothing has run."""
    planned = {cell.key() for cell in tables.plan({})}
    rows = [["CPUs", "Keel", *tables.WORKLOADS]]
    for cpus, config in rows_of(machine, cells):
        keys = [tables.Cell(machine, cpus, config, workload).key() for workload in tables.WORKLOADS]
        if (config == "bare" and measure != "ticks") or not any(key in cells or whole for key in keys):
            continue
        rows.append([str(cpus), config])
        for key in keys:
            missing = NOT_RUN if key in planned else ""
            rows[-1].append(show(measure, key, cells) if key in cells else missing)
    if measure == "time":
        rows.append(["", "floor", *(times(results.floor(cells, machine, w)) for w in tables.WORKLOADS)])
    return rows


def all_tables(cells, whole):
    """(title, rows) of each table that has something in it."""
    for machine, what in tables.MACHINES.items():
        if not any(key.startswith(machine + "/") for key in cells):
            continue
        for measure, (title, _, applies) in MEASURES.items():
            if applies(what):
                yield f"{machine}: {title}", make(machine, measure, cells, whole)


def by_reason(cells):
    """The exits of the default and the classic Keel, reason by reason."""
    rows = [["machine", "CPUs", "Keel", "workload", "exits by reason"]]
    for key, cell in sorted(cells.items(), key=lambda item: list(tables.MACHINES).index(item[0].split("/")[0])):
        if key.split("/")[2] in ("default", "classic") and cell.get("exits"):
            reasons = sorted(cell["exits"].items(), key=lambda reason: -reason[1])
            rows.append([*key.split("/"), ", ".join(f"{name} {n}" for name, n in reasons)])
    return rows


def as_text(rows):
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join("  ".join(text.ljust(width) if i == 1 else text.rjust(width)
                               for i, (text, width) in enumerate(zip(row, widths))).rstrip() for row in rows)


def as_markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def text(cells):
    return "\n\n".join(f"{title}\n{as_text(rows)}" for title, rows in all_tables(cells, False)) + f"\n\n{LEGEND}\n"


def describe():
    """What the words of the tables stand for, in Markdown."""
    lines = [f"- `{name}`: {m.says}" for name, m in tables.MACHINES.items()]
    lines += [f"- `{name}`: {w.says}; {w.rounds} round{'s' * (w.rounds > 1)}" for name, w in tables.WORKLOADS.items()]
    return "\n".join(lines)


def markdown(cells, host):
    dates = sorted({cell["date"] for cell in cells.values()})
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    parts = [f"{when}, on {host}.", describe(), LEGEND.replace("\n", " ")]
    parts += [f"### {title}\n\n{as_markdown(rows)}" for title, rows in all_tables(cells, True)]
    return "\n\n".join([*parts, f"### Exits by reason\n\n{as_markdown(by_reason(cells))}"])
