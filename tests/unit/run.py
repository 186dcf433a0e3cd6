#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the unit tests, one line of output each, and writes the summary.

A test program (see test.h) names its cases when called with --list; each case counts. A case that
a crash swallowed has failed. A command is one test.
"""

import argparse
import os
import re
import subprocess
import sys
import time


def selector(expression):
    """A function that tells whether a name is selected: words, 'and', 'or', 'not', brackets."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    words = []
    code = []
    for token in tokens:
        if token in ("and", "or", "not", "(", ")"):
            code.append(token)
        else:
            code.append(f"w[{len(words)}]")
            words.append(token.lower())
    try:
        compiled = compile(" ".join(code) or "True", "K", "eval")
    except SyntaxError:
        sys.exit(f"error: K={expression!r} is no expression: use words, and, or, not, brackets")
    return lambda name: eval(compiled, {}, {"w": [word in name.lower() for word in words]})


class Results:
    def __init__(self, log):
        self.log = log
        self.passed = self.failed = self.skipped = 0

    def add(self, status, name, seconds=None, output=""):
        took = f" ({seconds:.1f} s)" if seconds is not None else ""
        line = f"{status} {name}{took}"
        print(line, flush=True)
        self.log.write(line + "\n" + output)
        if status == "PASS":
            self.passed += 1
        elif status == "SKIP":
            self.skipped += 1
        else:
            self.failed += 1
            print("\n".join("    " + text for text in output.splitlines()[-60:]), flush=True)


def call(command, **options):
    """Exit status, output and time of a command."""
    start = time.monotonic()
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        **options,
    )
    return done.returncode, done.stdout, time.monotonic() - start


def run_cases(results, wanted, prefix, program):
    status, listing, _ = call([program, "--list"])
    cases = listing.split()
    if status != 0 or not cases:
        results.add("FAIL", f"{prefix}/list", output=listing)
        return
    chosen = [case for case in cases if wanted(f"{prefix}/{case}")]
    if not chosen:
        return
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    status, output, seconds = call([program] + chosen, env=environment)
    seen = {}
    for line in output.splitlines():
        match = re.match(r"(ok|not ok) \d+ (?:- |# SKIP )?(\w+)(.*)", line)
        if match:
            skipped = "SKIP" in line
            seen[match[2]] = "FAIL" if match[1] == "not ok" else "SKIP" if skipped else "PASS"
    outcomes = [seen.get(case, "FAIL") for case in chosen]
    # A leak shows only at the end, after every case has passed.
    broken = status != 0 and "FAIL" not in outcomes
    for case, outcome in zip(chosen, outcomes):
        # The output of the program stands once, under the first case that failed.
        first = outcome == "FAIL" and case == chosen[outcomes.index("FAIL")]
        results.add(outcome, f"{prefix}/{case}", output=output if first else "")
    if broken:
        results.add("FAIL", f"{prefix}/exit status {status}", seconds, output)


def run_command(results, name, command):
    status, output, seconds = call(command, shell=True)
    results.add("PASS" if status == 0 else "FAIL", name, seconds, output)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--select", default="")
    parser.add_argument("tests", nargs="+", metavar="NAME=cases:PROGRAM|NAME=command:COMMAND")
    options = parser.parse_args()
    wanted = selector(options.select)

    with open(os.path.join(options.out, "log"), "w", encoding="utf-8") as log:
        results = Results(log)
        for test in options.tests:
            name, what = test.split("=", 1)
            kind, what = what.split(":", 1)
            if kind == "cases":
                run_cases(results, wanted, name, what)
            elif wanted(name):
                run_command(results, name, what)
    with open(os.path.join(options.out, "summary"), "w", encoding="utf-8") as summary:
        summary.write(f"{results.passed} {results.failed} {results.skipped}\n")
    print(f"{results.passed} passed, {results.failed} failed, {results.skipped} skipped")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
