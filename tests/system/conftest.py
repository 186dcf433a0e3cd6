# SPDX-License-Identifier: BSD-2-Clause
"""Two pytest processes can share one list of tests; the summary names every retry."""
import os
import re

import pytest
from _pytest.runner import runtestprotocol

import runner
import settings


def pytest_addoption(parser):
    parser.addoption("--without-full", action="store_true", help="leave out the long runs")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Parts are made of what -k and --without-full left."""
    if config.getoption("--without-full"):
        left_out = [item for item in items if item.get_closest_marker("full")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
    part = re.fullmatch(r"(\d+)/(\d+)", os.environ.get("PART", ""))
    if part:
        number, of = int(part[1]), int(part[2])
        items[:] = [item for i, item in enumerate(items) if i % of == number % of]


def claimed(item):
    """True for the first process that asks for this test."""
    folder = os.environ.get("KEEL_CLAIMS")
    if not folder:
        return True
    name = re.sub(r"[^\w.-]", "_", item.nodeid)
    try:
        os.close(os.open(os.path.join(folder, name), os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    """Runs a test if it is ours. Which one is next is not known yet: all fixtures end with it."""
    if claimed(item):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        runtestprotocol(item, nextitem=None)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_configure():
    settings.WORK.mkdir(parents=True, exist_ok=True)


def pytest_terminal_summary(terminalreporter):
    for line in runner.retries:
        terminalreporter.write_line(f"RETRIED {line}")
    counts = {kind: len(terminalreporter.stats.get(kind, [])) for kind in
              ("passed", "failed", "error", "skipped", "xfailed", "xpassed")}
    out = os.environ.get("KEEL_SUMMARY")
    if out:
        with open(out, "w", encoding="ascii") as f:
            f.write(f"{counts['passed']} "
                    f"{counts['failed'] + counts['error'] + counts['xpassed']} "
                    f"{counts['skipped'] + counts['xfailed']}\n")
