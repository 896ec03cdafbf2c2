#!/usr/bin/env python3
"""Checks the small rows of the benchmark by counting instructions, which do not depend on the machine's load.

Usage: count-instructions.py [--write] [--build debug|release] [--norma PATH]

Runs the rows of Benchmarks/instructions.json twenty times each under callgrind, which counts the instructions between
entry and exit of the function that calls them, and exits with 1 if a row takes 5 percent more than recorded there.
--write records the counts. Counts are specific to a compiler, an architecture and a build: with others nothing is
compared, and the last line says so. Needs valgrind, whose emulated processor (AVX2, one thread) is the same on all
machines.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

FILE = pathlib.Path("Benchmarks/instructions.json")
CALLS = 20
LIMIT = 1.05
FUNCTION = "NormaCLI10BenchTimerV7counted"


def compiler():
    """The version of Swift, as in "6.3.1"."""
    text = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout
    return re.search(r"Swift version ([\d.]+)", text).group(1)


def count(norma, rows):
    """Instructions of each row's calls, by name."""
    with tempfile.TemporaryDirectory() as folder:
        output = pathlib.Path(folder) / "callgrind.out"
        # Valgrind stumbles over Swift's debug information; symbols are enough.
        bare = pathlib.Path(folder) / "norma"
        subprocess.run(["strip", "--strip-debug", "-o", bare, norma], check=True)
        symbols = subprocess.run(["nm", bare], capture_output=True, text=True, check=True).stdout
        function = re.search(rf"\S*{FUNCTION}\S*", symbols).group(0)
        pattern = "^(" + "|".join(re.escape(row).replace("\\-", "-") for row in rows) + ")$"
        run = subprocess.run(
            [
                "valgrind", "--tool=callgrind", f"--toggle-collect={function}",
                f"--dump-after={function}", f"--callgrind-out-file={output}",
                bare, "bench", "--catalogue", "--threads", "1", "--calls", str(CALLS),
                "--filter", pattern,
            ],
            capture_output=True, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "SWIFT_DETERMINISTIC_HASHING": "1"})
        names = run.stdout.split()
        if run.returncode or sorted(names) != sorted(rows):
            sys.exit(f"count-instructions: {norma} ran {names} of {rows}:\n{run.stderr}")
        counts = {}
        for number, name in enumerate(names, start=1):
            text = pathlib.Path(f"{output}.{number}").read_text()
            counts[name] = int(re.search(r"^(?:totals|summary): (\d+)", text, re.M).group(1))
        return counts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--build", choices=["debug", "release"], default="debug")
    parser.add_argument("--norma")
    options = parser.parse_args()
    norma = options.norma or f".build/{options.build}/norma"
    known = json.loads(FILE.read_text())
    here = {"swift": compiler(), "architecture": platform.machine()}
    if not options.write and any(known[key] != here[key] for key in here):
        print(f"instructions: not compared, they were counted with {known['swift']} on "
              f"{known['architecture']}, and this is {here['swift']} on {here['architecture']}")
        return 0
    if not shutil.which("valgrind"):
        print("instructions: not compared, there is no valgrind")
        return 0
    counts = count(norma, known["rows"])
    if options.write:
        for name, new in counts.items():
            known["rows"][name][options.build] = new
        FILE.write_text(json.dumps({**known, **here}, indent=2) + "\n")
        print(f"instructions: {len(counts)} rows of the {options.build} build are written")
        return 0
    problems = fewer = 0
    for name, new in counts.items():
        old = known["rows"][name][options.build]
        fewer += new * LIMIT < old
        if new > LIMIT * old:
            problems += 1
            print(f"{name}: {new} instructions for {CALLS} calls, {new / old:.2f} times {old}")
    print(f"instructions: {len(counts)} rows are counted, {problems} take more than they may, "
          f"{fewer} so much less that --write should keep it")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
