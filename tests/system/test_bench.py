# SPDX-License-Identifier: BSD-2-Clause
"""The benchmark: what it selects, its tables, and one small run. Nothing here looks at time."""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree

import pytest

import settings

BENCH = settings.TREE / "tests" / "bench"
sys.path.append(str(BENCH))

# pylint: disable=wrong-import-position
import chart
import measure
import report
import results
import tables


def run(folder, *args, **env):
    return subprocess.run([BENCH / "bench", *args], env=os.environ | env | {"BENCH_OUT": str(folder)},
                          capture_output=True, text=True, check=False)


@pytest.mark.parametrize("env, says", [
    ({"BENCH": "boot,cpiud"}, r"error: BENCH: there is no 'cpiud': use some of boot, fork, .*"),
    ({"BACKENDS": "arm"}, r"error: BACKENDS: there is no 'arm': use some of svm, svm-counted, vmx"),
    ({"CONFIGS": "fast"}, r"error: CONFIGS: there is no 'fast': use some of bare, default, .*"),
    ({"CPUS": "3"}, r"error: CPUS: there is no '3': use some of 1, 2, 4"),
    ({"PAIRS": "often"}, r"error: PAIRS=often is no number from 0 to 999"),
    ({"BENCH": "ipi", "CPUS": "1"}, r"error: .* select nothing that fits together: .*"),
], ids=lambda value: "-".join(value) if isinstance(value, dict) else "")
def test_wrong_selection(tmp_path, env, says):
    done = run(tmp_path, **env)
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(says + r"\n", done.stderr), done.stderr
    assert not list(tmp_path.iterdir())


def test_selection():
    assert len(tables.plan({})) == len(set(tables.plan({})))
    chosen = tables.plan({"BENCH": "ipi,cpuid", "BACKENDS": "vmx", "CONFIGS": "default", "CPUS": "2"})
    assert [cell.key() for cell in chosen] == ["vmx/2/default/ipi", "vmx/1/default/cpuid"]
    assert {cell.cpus for cell in tables.plan({"BACKENDS": "vmx"})} == {1, 2, 4}
    assert {cell.machine for cell in tables.plan({"BACKENDS": "svm"})} == {"svm", "svm-counted"}
    assert {cell.machine for cell in tables.plan({"BACKENDS": "svm-counted"})} == {"svm-counted"}


def test_every_symbol_exists():
    known = re.findall(r"^config (\w+)$", (settings.TREE / "hypervisor" / "Kconfig").read_text(), re.M)
    for name, config in tables.CONFIGS.items():
        assert {symbol for symbol, _ in config.symbols} <= set(known), name


def cell(exits=None, ticks=100, pairs=()):
    return {"of": "x", "date": "2026-01-02", "rounds": 10, "ticks": ticks, "exits": exits or {}, "pairs": list(pairs)}


CELLS = {
    "vmx/1/bare/cpuid": cell(ticks=90),
    "vmx/1/default/cpuid": cell({"cpuid": 1000, "io": 200}, 3420, [[1, 3], [1, 4], [0.1, 99]]),
    "vmx/1/default/copy": cell({}, 5 * 10**9, [[2, 5]]),
    "vmx/1/default/deadline": {"of": "x", "date": "2026-01-03", "none": True},
}


def test_a_guests_words():
    assert measure.figures(" rounds=3 ticks=0x1f exits cpuid=2 cr=1") == {
        "rounds": 3, "ticks": 31, "exits": {"cpuid": 2, "cr": 1}}
    assert measure.figures(" rounds=3 ticks=7 exits") == {"rounds": 3, "ticks": 7, "exits": {}}


def row(title, cpus, config, whole=False):
    table = dict(report.all_tables(CELLS, whole))[title]
    found = [dict(zip(table[0], line)) for line in table[1:] if line[:2] == [cpus, config]]
    return found[0] if found else None


def test_tables():
    exits, ticks, time = (f"vmx: {report.MEASURES[m][0]}" for m in ("exits", "ticks", "time"))
    assert [title for title, _ in report.all_tables(CELLS, False)] == [exits, ticks, time]
    default = row(exits, "1", "default")
    assert (default["cpuid"], default["copy"], default["deadline"]) == ("1200", "0", report.NOT_HERE)
    assert default["fork"] == report.NOT_RUN and default["ipi"] == ""
    assert row(ticks, "1", "bare")["cpuid"] == "9" and row(exits, "1", "bare") is None
    assert row(ticks, "1", "default")["cpuid"] == "342 x38.000" and row(ticks, "1", "default")["copy"] == "500 M"
    # The pair that is too short does not count; cpuid has exits, so there is no floor.
    assert row(time, "1", "default")["cpuid"] == "3.50"
    assert row(time, "", "floor")["copy"] == "2.50" and row(time, "", "floor")["cpuid"] == report.NOT_TIMED
    assert row(exits, "2", "default") is None and row(exits, "2", "default", True)["fork"] == report.NOT_RUN
    assert report.by_reason(CELLS)[1:] == [["vmx", "1", "default", "cpuid", "cpuid 1000, io 200"]]


def test_results_file(tmp_path):
    path = tmp_path / "bench.json"
    assert results.load(path) == {}
    results.add(path, {"a": cell()})
    results.add(path, {"b": cell({"io": 1})})
    assert results.load(path) == {"a": cell(), "b": cell({"io": 1})}
    path.write_text('{"version": 1, "cells"')
    assert results.load(path) == {}
    assert not results.complete(None, "x", 0) and results.complete(cell(), "x", 0)
    assert not results.complete(cell(), "y", 0) and not results.complete(cell(), "x", 1)


def test_page():
    page = chart.page(CELLS, "a <host>")
    assert "a &lt;host&gt;" in page and "http" not in page and "<script" not in page and "src=" not in page
    drawings = [xml.etree.ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", page, re.S)]
    bars = {tip.text: float(bar.get("width")) for svg in drawings for bar in svg.iter("rect") for tip in bar}
    assert bars["cpuid: 1000"] == pytest.approx(5 * bars["io: 200"], abs=0.2)
    assert bars["342.0"] == pytest.approx(chart.BAR) and bars["9.0"] == pytest.approx(chart.BAR * 9 / 342, abs=0.1)


def test_doc(tmp_path):
    doc = tmp_path / "page.md"
    doc.write_text("before\n<!-- bench: begin -->\nold\n<!-- bench: end -->\nafter\n")
    done = run(tmp_path, "--doc", str(doc))
    assert done.returncode == 1 and re.fullmatch(r"error: .* needs .* some results\n", done.stderr)
    results.add(tmp_path / "bench.json", CELLS)
    assert run(tmp_path, "--doc", str(doc)).returncode == 0
    text = doc.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "2026-01-02 to 2026-01-03" in text and "| 1 | default | ? | ? | ? | 0 |  | 1200 | none | ? | ? |" in text


def test_small_run(tmp_path):
    """CPUID costs nothing on AMD, unless it is intercepted; and what was measured is not measured again."""
    select = {"BENCH": "cpuid", "BACKENDS": "svm", "CONFIGS": "bare,default,svm-cpuid-pass-off", "PAIRS": "1"}
    done = run(tmp_path, **select)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "bench.json").read_text())["cells"]
    assert set(found) == {"svm/1/default/cpuid", "svm/1/svm-cpuid-pass-off/cpuid", "svm-counted/1/bare/cpuid",
                          "svm-counted/1/default/cpuid", "svm-counted/1/svm-cpuid-pass-off/cpuid"}
    for key, cell in found.items():
        assert cell["exits"] == ({"cpuid": cell["rounds"]} if "pass-off" in key else {}), key
        assert len(cell["pairs"]) == (1 if key.startswith("svm/") else 0), key
    bare, default, trapped = (found[f"svm-counted/1/{name}/cpuid"] for name in ("bare", "default", "svm-cpuid-pass-off"))
    assert bare["rounds"] == 100000 and bare["ticks"] == default["ticks"]
    assert trapped["ticks"] > 10 * default["ticks"]
    assert "<svg" in (tmp_path / "bench.html").read_text()
    again = run(tmp_path, **select)
    assert again.returncode == 0 and "bench: svm" in done.stdout and "bench: svm" not in again.stdout


# By the policy of starting CPUs: what exits when they have started.
BUSY = {("svm", 1): set(), ("svm", 2): {"wrmsr"}, ("svm", 4): {"wrmsr"}, ("svm-counted", 2): {"memory"},
        ("vmx", 2): {"cpuid"}}


@pytest.mark.parametrize("machine, cpus", BUSY)
def test_busy_guest(machine, cpus, monkeypatch, tmp_path):
    """Processes, page faults, files, timers and interrupts between CPUs cause no exits but those, and no other."""
    monkeypatch.setattr(measure, "FOLDER", tmp_path)
    busy = ["fork", "faults", "copy", *(["ipi"] if cpus > 1 else [])]
    found = measure.boot(machine, cpus, "default", settings.KEEL, "linux", ["boot", *busy])
    assert set(busy) <= set(found) and found["boot"]["exits"]
    reasons = set().union(*(found[name]["exits"] for name in busy))
    assert reasons <= BUSY[machine, cpus], found
