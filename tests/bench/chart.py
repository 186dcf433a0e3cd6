# SPDX-License-Identifier: BSD-2-Clause
"""The results as one page of HTML: bars as inline SVG, and nothing that is loaded from elsewhere."""
from html import escape

import report
import results
import tables

PLAIN = "#889aaa"
COLOURS = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999933", "#777777"]
LABEL, BAR, ROW, NUMBER = 120, 260, 20, 90      # pixels

PAGE = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Keel: benchmark</title><style>
body {{ font: 15px/1.5 sans-serif; color: #222; background: #fff; margin: 2em auto; max-width: 1500px; padding: 0 1em }}
h2 {{ border-bottom: 1px solid #ccc; margin-top: 2em }}
.charts {{ display: flex; flex-wrap: wrap; gap: 1.5em }}
figure {{ margin: 0 }} figcaption {{ font-weight: bold }} small {{ font-weight: normal; color: #666 }}
svg {{ font: 12px sans-serif; display: block }} .key span {{ margin-right: 1em; white-space: nowrap }}
.key i {{ display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.3em }}
pre {{ background: #f6f6f6; padding: 1em; overflow-x: auto }}
</style></head><body>
<h1>Keel: what it costs</h1>
<p>{host}. Counts are exact; times are not, and no test looks at them.</p>
<p class="key">exits: {key}</p>
{body}
<h2>The same as text</h2>
<pre>{text}</pre>
</body></html>
"""


def reasons_of(cells):
    """Every reason, the most frequent first: that is its colour."""
    total = {}
    for cell in cells.values():
        for reason, n in cell.get("exits", {}).items():
            total[reason] = total.get(reason, 0) + n
    return sorted(total, key=total.get, reverse=True)


def bars(rows):
    """An SVG of rows (label, [(part, colour, tip), ...], text)."""
    most = max((sum(part for part, _, _ in parts) for _, parts, _ in rows), default=0) or 1
    out = [f'<svg width="{LABEL + BAR + NUMBER}" height="{ROW * len(rows)}">']
    for i, (label, parts, text) in enumerate(rows):
        at, middle = LABEL, i * ROW + 14
        out.append(f'<text x="{LABEL - 6}" y="{middle}" text-anchor="end">{escape(label)}</text>')
        for part, colour, tip in parts:
            width = BAR * part / most
            out.append(f'<rect x="{at:.1f}" y="{i * ROW + 3}" width="{width:.1f}" height="{ROW - 6}" '
                       f'fill="{colour}"><title>{escape(tip)}</title></rect>')
            at += width
        out.append(f'<text x="{at + 5:.1f}" y="{middle}">{escape(text)}</text>')
    return "".join(out) + "</svg>"


def parts_of(measure, cell, colours):
    if measure == "exits":
        return [(n, colours[reason], f"{reason}: {n}") for reason, n in
                sorted(cell["exits"].items(), key=lambda item: -item[1])]
    value = results.ticks(cell) if measure == "ticks" else results.ratio(cell)
    return [(value, PLAIN, str(value))] if value is not None else []


def charts(machine, workload, cells, colours):
    """A figure for each measure of one workload on one machine."""
    have = [(f"{config}, {cpus}", config, tables.Cell(machine, cpus, config, workload).key())
            for cpus, config in report.rows_of(machine, cells)]
    have = [row for row in have if row[2] in cells and "none" not in cells[row[2]]]
    for measure, (title, _, applies) in report.MEASURES.items():
        rows = [(label, parts_of(measure, cells[key], colours), report.show(measure, key, cells))
                for label, config, key in have if measure == "ticks" or config != "bare"]
        if not rows or not applies(tables.MACHINES[machine]):
            continue
        # No exits are worth a chart, no times are not.
        if measure == "exits" or any(parts for _, parts, _ in rows):
            yield (f"<figure><figcaption>{workload}: {title} <small>(Keel, CPUs)</small></figcaption>"
                   f"{bars(rows)}</figure>")


def page(cells, host):
    reasons = reasons_of(cells)
    colours = {reason: COLOURS[min(i, len(COLOURS) - 1)] for i, reason in enumerate(reasons)}
    body = []
    for machine, what in tables.MACHINES.items():
        if any(key.startswith(machine + "/") for key in cells):
            body.append(f"<h2>{machine}: {escape(what.says)}</h2>")
            for workload, described in tables.WORKLOADS.items():
                found = "".join(charts(machine, workload, cells, colours))
                body.append(f'<p>{workload}: {escape(described.says)}</p><div class="charts">{found}</div>'
                            if found else "")
    key = "".join(f'<span><i style="background:{colours[r]}"></i>{escape(r)}</span>' for r in reasons)
    return PAGE.format(host=escape(host), key=key or "none", body="\n".join(body), text=escape(report.text(cells)))
