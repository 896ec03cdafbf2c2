#!/usr/bin/env python3
"""Tests the workflow of a PyTorch user: trains, captures and diagnoses networks with known defects.

    swift build -c release --product norma
    python Tools/check-doctor-route.py [OUT] [--norma PROGRAM] [--keep]

Takes norma_capture.py from `norma capture --script`, lets make-doctor-networks.py train and capture its conditions with
that file, and runs `norma doctor` on each capture, with and without a capture of training data. The first finding must
be the truth, or an equally good label in truth.json, and a defect must never be missed; the exit status must agree.
Prints a Markdown table. Fails if fewer than 17 of 18 are right, or an exit status is wrong. --keep reuses the networks
in OUT. Two minutes on two cores. Needs torch and Fashion-MNIST.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parent
FEWEST_RIGHT = 17


def doctor(norma, *arguments):
    """The names of the findings and the exit status."""
    run = subprocess.run([norma, "doctor", *map(str, arguments), "--json"], capture_output=True, text=True)
    if run.returncode not in (0, 1):
        sys.exit("norma doctor %s: exit status %d\n%s" % (" ".join(map(str, arguments)), run.returncode, run.stderr))
    return json.loads(run.stdout)["diagnosis"]["findings"], run.returncode


def is_right(findings, known):
    """A defect must be found; finding nothing is only right if nothing is wrong."""
    wanted = {known["defect"], *known["accept"]}
    if known["defect"] is None:
        return all(f["severity"] == "note" for f in findings)
    return bool(findings) and findings[0]["defect"] in wanted


def first(findings):
    if not findings:
        return "nothing"
    kind = findings[0]["severity"]
    return findings[0]["defect"] + ("" if kind == "error" else " (%s)" % kind)


def percent(share):
    return "%.1f %%" % (100 * share)


def check(norma, folder):
    """A row of the table, whether the finding is right, alone and with data of training, and complaints."""
    known = json.loads((folder / "truth.json").read_text())
    findings, status = doctor(norma, folder / "capture.safetensors")
    decided, with_status = doctor(norma, folder / "capture.safetensors", "--train", folder / "train.safetensors")
    right, right_decided = is_right(findings, known), is_right(decided, known["with_train"])
    complaints = []
    for found, code in ((findings, status), (decided, with_status)):
        if code != any(f["severity"] != "note" for f in found):
            complaints.append("%s: exit status %d with %s" % (folder.name, code, first(found)))
    if status not in known.get("status", [int(known["defect"] is not None)]):
        complaints.append("%s: exit status %d" % (folder.name, status))
    for f in findings + decided:
        if f["defect"] in known["false"]:
            complaints.append("%s: %s is false" % (folder.name, f["defect"]))
    accuracy = known["accuracy"]
    row = "| %s | %s | %s | %s%s | %s%s | %d |" % (
        known["summary"], percent(accuracy["eval"]), percent(accuracy["batch"]), first(findings), "" if right else " (wrong)",
        first(decided), "" if right_decided else " (wrong)", status)
    return row, right, right_decided, complaints


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=pathlib.Path)
    parser.add_argument("--norma", default=str(TOOLS.parent / ".build/release/norma"))
    parser.add_argument("--keep", action="store_true", help="use the networks that OUT has")
    arguments = parser.parse_args()
    temporary = tempfile.TemporaryDirectory()
    out = arguments.out or pathlib.Path(temporary.name)
    out.mkdir(parents=True, exist_ok=True)
    if not arguments.keep:
        script = subprocess.run([arguments.norma, "capture", "--script"], capture_output=True, text=True, check=True).stdout
        (out / "norma_capture.py").write_text(script)
        environment = {**os.environ, "PYTHONPATH": str(out.resolve())}
        subprocess.run([sys.executable, str(TOOLS / "make-doctor-networks.py"), str(out)], check=True, env=environment,
                       stdout=sys.stderr)
    print("| condition | accuracy in eval() | with the batch | first finding | with `--train` | exit status |")
    print("|---|---|---|---|---|---|")
    counts, complaints, total = [0, 0], [], 0
    # In the order in which they are listed there.
    for folder in sorted((f.parent for f in out.glob("*/truth.json")), key=lambda f: (f / "truth.json").stat().st_mtime):
        row, right, right_decided, wrong = check(arguments.norma, folder)
        print(row, flush=True)
        counts[0] += right
        counts[1] += right_decided
        complaints += wrong
        total += 1
    print("\n%d of %d first findings are right; with data of training, %d." % (counts[0], total, counts[1]))
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints or total == 0 or min(counts) < min(FEWEST_RIGHT, total - 1) else 0)


if __name__ == "__main__":
    main()
