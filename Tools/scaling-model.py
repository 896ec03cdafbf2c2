#!/usr/bin/env python3
"""The model of docs/scaling.md: the time of a training step on 2 to 1,024 hosts.

    scaling-model.py                  prints the tables and draws docs/scaling.svg
    scaling-model.py --check NORMA    compares the model with measured steps of this machine

A step takes the computation of the slowest host, and what communication adds: sums of gradients, of
which the backward pass hides a part, and the exchanges of synchronized batch norm, which nothing hides.

The check runs `mpirun -n N NORMA distributed` (a build with the trait MPI) and puts into the model what
it measures there: the time of a small and of a large sum, and a step of each process without the others.
More processes than cores share them, so that a process waits for others to get a core: the model knows
nothing of that.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess

# Messages of n hosts: a sum of M bytes goes around a ring in 2 (n - 1) steps, or up and down a tree in
# 2 log2 n; the faster of the two. `latency` is that of one message between two hosts, in seconds.
LATENCY = 25e-6
# The share of a link's bits per second that a sum reaches, and of a step that is the backward pass.
EFFICIENCY = 0.9
BACKWARD = 2 / 3
# The standard deviation of a host's step, as a share of it: all wait for the slowest.
JITTER = 0.01
# What an exchange costs besides messages: a call, copies of a few numbers, the merge of moments.
CALL = 15e-6

# Computation of a step in seconds (measured: see docs/scaling.md), bytes of gradients, and layers of
# batch norm.
NETWORKS = {
    "ResNet-18": {"step": 0.80, "batch": 16, "bytes": 46.8e6, "norms": 20},
    "ResNet-50": {"step": 2.05, "batch": 16, "bytes": 102.2e6, "norms": 53},
}
# How much faster than the measured one, with two cores, a host computes: 64 cores at best.
SPEEDS = {"2 cores": 1, "64 cores": 32}
HOSTS = [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
LINKS = {"10 Gbit/s": 10e9, "25 Gbit/s": 25e9, "100 Gbit/s": 100e9}


def all_reduce(count, size, bits, latency=LATENCY, efficiency=EFFICIENCY):
    """Seconds for a sum of `size` bytes over `count` hosts."""
    if count == 1:
        return 0.0
    transfer = 2 * (count - 1) / count * size * 8 / (bits * efficiency)
    messages = min(2 * (count - 1), 2 * math.ceil(math.log2(count)))
    return transfer + messages * latency


def step(network, count, bits, latency=LATENCY, efficiency=EFFICIENCY, jitter=JITTER):
    """The seconds of a step and its parts."""
    # The expected largest of n normally distributed numbers is about sqrt(2 ln n) deviations.
    slowest = network["step"] * jitter * math.sqrt(2 * math.log(count))
    gradients = all_reduce(count, network["bytes"], bits, latency, efficiency)
    # The last bucket is sent when the backward pass is over; the first ones travel while it goes on.
    last = all_reduce(count, min(1 << 20, network["bytes"]), bits, latency, efficiency)
    room = BACKWARD * network["step"]
    exposed = max(gradients - room, min(last, gradients))
    norms = 0.0
    if count > 1:
        hops = math.ceil(math.log2(count))
        norms = network["norms"] * 2 * (hops * latency + CALL)
    return {"total": network["step"] + slowest + exposed + norms, "exposed": exposed,
            "norms": norms, "slowest": slowest, "gradients": gradients}


def on(speed, network):
    """The network on a host that computes this much faster."""
    return {**network, "step": network["step"] / speed}


def efficiency_table():
    lines = ["| hosts | " + " | ".join(map(str, HOSTS)) + " |", "|---|" + "---|" * len(HOSTS)]
    for name, network in NETWORKS.items():
        for cores, speed in SPEEDS.items():
            for link, bits in LINKS.items():
                fast = on(speed, network)
                cells = [f"{fast['step'] / step(fast, n, bits)['total']:.0%}" for n in HOSTS]
                lines.append(f"| {name}, {cores}, {link} | " + " | ".join(cells) + " |")
    lines += ["", "| of 1,024 hosts | slowest host | gradients | batch norm |", "|---|---|---|---|"]
    for name, network in NETWORKS.items():
        for cores, speed in SPEEDS.items():
            for link, bits in LINKS.items():
                parts = step(on(speed, network), 1024, bits)
                lines.append(
                    f"| {name}, {cores}, {link} | "
                    + " | ".join(f"{parts[key] * 1e3:.1f} ms" for key in
                                 ("slowest", "exposed", "norms")) + " |")
    return "\n".join(lines)


def drawing():
    """An SVG of the efficiency over the number of hosts, a panel for each network."""
    width, height, left, top = 460, 300, 56, 34
    low = 0.2
    colors = {"10 Gbit/s": "#c0392b", "25 Gbit/s": "#d68910", "100 Gbit/s": "#1f618d"}
    parts = []
    for panel, (name, slow) in enumerate(NETWORKS.items()):
        network = on(SPEEDS["64 cores"], slow)
        x0 = left + panel * (width + 40)

        def place(count, value):
            x = x0 + (math.log2(count) - 1) / 9 * (width - 40)
            return x, top + (1 - (value - low) / (1 - low)) * (height - 70)

        parts.append(f'<text x="{x0}" y="20" font-weight="bold">{name}, hosts of 64 cores: share of ideal speed</text>')
        for percent in (20, 40, 60, 80, 100):
            _, y = place(2, percent / 100)
            parts.append(f'<line x1="{x0}" y1="{y:.1f}" x2="{x0 + width - 40}" y2="{y:.1f}" '
                         'stroke="#ddd"/>')
            parts.append(f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
        for count in HOSTS:
            x, y = place(count, low)
            parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle">{count}</text>')
        for link, bits in LINKS.items():
            points = [(n, network["step"] / step(network, n, bits)["total"]) for n in HOSTS]
            line = " ".join("{:.1f},{:.1f}".format(*place(n, max(v, low))) for n, v in points)
            parts.append(f'<polyline points="{line}" fill="none" stroke="{colors[link]}" '
                         'stroke-width="2"/>')
        x, y = place(2, low)
        parts.append(f'<text x="{x0 + (width - 40) / 2}" y="{y + 36:.1f}" text-anchor="middle">'
                     "hosts</text>")
    for number, (link, color) in enumerate(colors.items()):
        x = left + number * 120
        parts.append(f'<rect x="{x}" y="{height + 6}" width="16" height="4" fill="{color}"/>')
        parts.append(f'<text x="{x + 22}" y="{height + 12}">{link}</text>')
    total = left + 2 * width + 40
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {height + 24}" '
            'font-family="sans-serif" font-size="12">\n'
            f'<rect width="{total}" height="{height + 24}" fill="white"/>\n'
            + "\n".join(parts) + "\n</svg>\n")


def distributed(options, count, *arguments):
    """The lines of JSON of `norma distributed` in some processes."""
    root = ["--allow-run-as-root"] if os.geteuid() == 0 else []
    command = ["mpirun", *root, "--oversubscribe", "--bind-to", "none", "-n", str(count),
               str(options.norma), "distributed", "--json", "--threads", "1", "--timeout", "300",
               *arguments]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def check(options):
    """A table of measured steps and of what the model makes of their parts, in milliseconds."""
    lines = ["| processes | message | bytes/s | step alone | together, model | measured "
             "| gradients, model | measured | hidden | batch norm, model | measured |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    def milli(seconds):
        return f"{seconds * 1e3:.1f}"
    for count in options.processes:
        small, large = distributed(options, count, "--bytes", f"1024,{options.sum}")
        found, = distributed(options, count, "--network", options.network, "--batch",
                             str(options.batch), "--size", str(options.size), "--steps",
                             str(options.steps))
        network = {"step": found["alone"], "bytes": found["gradientBytes"], "norms": found["norms"]}
        hops = math.ceil(math.log2(count))
        latency = small["seconds"] / (2 * hops) if hops else 0
        rate = 2 * (count - 1) / count * large["bytes"] / (large["seconds"] - small["seconds"])
        model = step(network, count, max(rate * 8, 1), latency, efficiency=1)
        lines.append(
            f"| {count} | {latency * 1e6:.1f} us | {rate / 1e9:.2f} GB | {milli(found['alone'])} "
            f"| {milli(model['total'])} | {milli(found['step'])} | {milli(model['exposed'])} "
            f"| {milli(found['exposedGradients'])} | {found['hidden']:.0%} "
            f"| {milli(model['norms'])} | {milli(found['normExchanges'])} |")
    print("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", metavar="NORMA", dest="norma", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument("--processes", type=lambda text: [int(n) for n in text.split(",")],
                        default=[2, 3, 4], metavar="N,...")
    parser.add_argument("--network", default="resnet18")
    parser.add_argument("--batch", type=int, default=8, help="images of each process")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--sum", type=int, default=25 << 20, help="bytes of the large sum")
    options = parser.parse_args()
    if options.norma:
        return check(options)
    print(efficiency_table())
    target = pathlib.Path(__file__).parent.parent / "docs" / "scaling.svg"
    target.write_text(drawing())
    print(f"\n{target} is drawn")


if __name__ == "__main__":
    main()
