#!/usr/bin/env python3
"""Runs the programs of Snippets/ that the build of the tests has made; exits with 1 where one fails.

What the documents say that a program prints stands in a block of the language `output`: each line of it
must be printed by some program.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

OUTPUT = re.compile(r"^```output\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(program, folder):
    """A program's output, and its problem if it has one."""
    result = subprocess.run(
        [program], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    problem = None
    if result.returncode != 0 or not result.stdout:
        problem = f"{program.name}: status {result.returncode}: {result.stderr[-500:]}"
    return result.stdout, problem


def main():
    build = pathlib.Path(".build/debug").resolve()
    names = sorted(path.stem for path in pathlib.Path("Snippets").glob("*.swift"))
    missing = [name for name in names if not (build / name).exists()]
    if missing or not names:
        print(f"these are not built: {missing}; swift build --build-tests makes them")
        return 1
    problems, printed = [], set()
    with tempfile.TemporaryDirectory() as folder:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for output, problem in pool.map(lambda name: run(build / name, folder), names):
                printed |= {line.rstrip() for line in output.splitlines()}
                if problem:
                    problems.append(problem)
    lines = 0
    for path in sorted(pathlib.Path("Sources/Norma/Norma.docc").rglob("*.md")):
        for block in OUTPUT.findall(path.read_text()):
            for line in block.splitlines():
                lines += 1
                if line.rstrip() not in printed:
                    problems.append(f"{path}: no program prints: {line}")
    print("\n".join(problems) or f"snippets: {len(names)} ran, and print {lines} lines of the documents")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
