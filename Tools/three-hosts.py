#!/usr/bin/env python3
"""Trains across three hosts that are network namespaces of this machine, and breaks them.

Needs root, iproute2 and Open MPI, and a build of norma with the trait MPI:

    three-hosts.py NORMA [--only NAME]

Each host has an address and a name of its own, and is connected to the others by a bridge alone.
mpirun runs on the first and reaches the others through an agent that enters their namespace, as ssh
would. The checks: three hosts give the result of one process; and after a killed rank, a stopped
rank, a cut link, a full disk and a damaged checkpoint the job ends in time with a message that names
rank and cause, leaves no process behind, and its continuation ends as if nothing had happened.
"""

import argparse
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time

HOSTS = ["norma-a", "norma-b", "norma-c"]
ADDRESSES = ["10.77.0.1", "10.77.0.2", "10.77.0.3"]
BRIDGE = "norma-br"
TIMEOUT = 10  # seconds that a rank waits for the others
LIMIT = 30  # seconds in which a job must end after a fault


def run(*command, check=True):
    return subprocess.run(command, check=check, capture_output=True, text=True)


def begin_hosts():
    """Three namespaces on a bridge."""
    end_hosts()
    run("ip", "netns", "add", BRIDGE)
    run("ip", "-n", BRIDGE, "link", "add", "br0", "type", "bridge")
    run("ip", "-n", BRIDGE, "link", "set", "br0", "up")
    for number, (host, address) in enumerate(zip(HOSTS, ADDRESSES)):
        run("ip", "netns", "add", host)
        run("ip", "-n", host, "link", "add", "eth0", "type", "veth",
            "peer", "name", f"port{number}", "netns", BRIDGE)
        run("ip", "-n", BRIDGE, "link", "set", f"port{number}", "master", "br0", "up")
        run("ip", "-n", host, "addr", "add", f"{address}/24", "dev", "eth0")
        run("ip", "-n", host, "link", "set", "eth0", "up")
        run("ip", "-n", host, "link", "set", "lo", "up")


def end_hosts():
    for host in HOSTS:
        for pid in processes(host):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        run("ip", "netns", "del", host, check=False)
    run("ip", "netns", "del", BRIDGE, check=False)


def cut_link(number):
    run("ip", "-n", BRIDGE, "link", "set", f"port{number}", "down")


def mend_link(number):
    """Returns when the host can be reached again."""
    run("ip", "-n", BRIDGE, "link", "set", f"port{number}", "up")
    for _ in range(100):
        if "state UP" in run("ip", "-n", HOSTS[number], "link", "show", "eth0").stdout:
            break
        time.sleep(0.1)
    # Addresses that did not answer while the link was cut.
    for host in HOSTS:
        run("ip", "-n", host, "neigh", "flush", "all")


def processes(host, name=None):
    """The processes of a host, or those of one program."""
    found = run("ip", "netns", "pids", host, check=False).stdout.split()
    def comm(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
        except FileNotFoundError:
            return ""
    return [int(pid) for pid in found if name is None or comm(pid) == name]


def write_agent(folder):
    """What mpirun calls in the place of ssh: HOST COMMAND..."""
    agent = folder / "agent"
    cases = "\n".join(f"  {a}) name={h} ;;" for a, h in zip(ADDRESSES, HOSTS))
    agent.write_text(
        f'#!/bin/sh\nhost=$1\nshift\ncase $host in\n{cases}\nesac\n'
        'exec ip netns exec "$name" unshare --uts sh -c "hostname $name; $*"\n')
    agent.chmod(0o755)
    return agent


class Job:
    """A training run on the hosts."""

    def __init__(self, folder, norma, arguments):
        self.folder = folder
        hosts = ",".join(f"{address}:1" for address in ADDRESSES)
        mpirun = [
            "mpirun", "--allow-run-as-root", "-n", "3", "--host", hosts,
            "--mca", "plm_rsh_agent", str(folder / "agent"),
            "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.77.0.0/24",
            "--mca", "oob_tcp_if_include", "10.77.0.0/24",
            # A lost connection is noticed in seconds instead of minutes.
            "--mca", "oob_tcp_keepalive_time", "4", "--mca", "oob_tcp_keepalive_intvl", "2",
            "--mca", "oob_tcp_keepalive_probes", "2", "--bind-to", "none",
            # Three hosts share the cores of one machine.
            "--mca", "mpi_yield_when_idle", "1",
            "-x", "OMP_NUM_THREADS=1", str(norma), *arguments]
        inner = f"hostname {HOSTS[0]}; exec " + " ".join(mpirun)
        self.output = open(folder / "output", "w+")
        self.errors = open(folder / "errors", "w+")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", HOSTS[0], "unshare", "--uts", "sh", "-c", inner],
            stdout=self.output, stderr=self.errors, cwd=folder)

    def text(self, file):
        file.flush()
        return pathlib.Path(file.name).read_text()

    def wait_for_epochs(self, count, limit=120):
        end = time.time() + limit
        while time.time() < end:
            lines = [l for l in self.text(self.output).splitlines() if l.startswith('{"acc')]
            if len(lines) >= count:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise SystemExit(f"the job did not get to epoch {count}:\n{self.text(self.errors)}")

    def end(self, limit):
        """The status, the seconds and the messages of a job that has to end."""
        begin = time.time()
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
        seconds = time.time() - begin
        return status, seconds, self.text(self.errors)


def left_behind(limit=30):
    """The processes that are still there after a time."""
    end = time.time() + limit
    while True:
        left = [pid for host in HOSTS for pid in processes(host)]
        if not left or time.time() > end:
            return left
        time.sleep(0.2)


def model(path):
    """The bytes of a checkpoint's model by name."""
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]
    return {
        name: body[entry["data_offsets"][0] : entry["data_offsets"][1]]
        for name, entry in header.items()
        if name.startswith("model.")
    }


def write_data(folder):
    """240 and 30 images of three classes, 12 x 12."""
    for name, count in (("train", 240), ("t10k", 30)):
        images = bytearray()
        for image in range(count):
            for place in range(144):
                bright = place // 48 == image % 3
                images.append((200 if bright else 0) + (image * 7 + place * 3) % 40)
        labels = bytes(image % 3 for image in range(count))
        (folder / f"{name}-images-idx3-ubyte").write_bytes(
            struct.pack(">BBBBIII", 0, 0, 8, 3, count, 12, 12) + images)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">BBBBI", 0, 0, 8, 1, count) + labels)


class Checks:
    def __init__(self, norma, folder):
        self.norma, self.folder = norma, folder
        self.failures = 0
        write_agent(folder)
        write_data(folder)
        self.options = ["--data", str(folder), "--epochs", "6", "--batch", "24", "--width", "4",
                        "--threads", "1"]

    def arguments(self, out, resume=None):
        start = ["train", "--json", "--distributed", "--timeout", str(TIMEOUT), "--out", str(out)]
        if resume:
            return start + ["--data", str(self.folder), "--threads", "1", "--resume", str(resume)]
        return start + self.options

    def report(self, name, problems, detail=""):
        print(f"{name}: {'; '.join(problems) or 'as it should be'}{detail}", flush=True)
        self.failures += bool(problems)

    def whole(self):
        """The undisturbed run on three hosts, and one process."""
        out = self.folder / "whole.safetensors"
        job = Job(self.folder, self.norma, self.arguments(out))
        status, seconds, errors = job.end(300)
        if status != 0:
            raise SystemExit(f"the undisturbed run ended with {status}:\n{errors}")
        self.model = model(out)
        three = json.loads(job.text(job.output).splitlines()[-1])
        alone = subprocess.run(
            [self.norma, "train", "--json", *self.options, "--out", self.folder / "one.safetensors"],
            check=True, capture_output=True, text=True)
        one = json.loads(alone.stdout.splitlines()[-1])
        worst = max(abs(a - b) / abs(b) for a, b in zip(three["firstLosses"], one["firstLosses"]))
        problems = [] if worst < 1e-5 else ["losses differ"]
        if left_behind():
            problems.append("processes are left")
        self.report("three hosts and one process", problems,
                    f"; the first {len(one['firstLosses'])} losses differ by {worst:.1e}, "
                    f"{seconds:.0f} s, {three['imagesPerSecond']:.0f} images/s")

    def fault(self, name, cause, expected, out=None, after=2):
        """A run with a fault after some epochs, and its continuation."""
        out = out or self.folder / f"{name.replace(' ', '-')}.safetensors"
        job = Job(self.folder, self.norma, self.arguments(out))
        job.wait_for_epochs(after)
        cause()
        status, seconds, errors = job.end(LIMIT)
        problems = []
        if status is None:
            problems.append(f"the job goes on after {LIMIT} s")
            job.process.kill()
        elif status == 0:
            problems.append("the job ended as if nothing had happened")
        for text in expected:
            if text not in errors:
                problems.append(f"no message has {text!r}")
        left = left_behind()
        if left:
            problems.append(f"processes are left: {left}")
        if problems:
            print(errors[-3000:], file=sys.stderr)
        message = next((l for l in errors.splitlines() if expected[0] in l), "")
        return out, problems, f"; ended after {seconds:.1f} s: {message.strip()[:300]}"

    def continued(self, name, out, problems, detail, resume=None):
        """Continues, and compares the end with that of the undisturbed run."""
        job = Job(self.folder, self.norma, self.arguments(out, resume or out))
        status, _, errors = job.end(300)
        if status != 0:
            problems.append(f"the continuation ended with {status}: {errors[-500:]}")
        elif model(out) != self.model:
            problems.append("the continuation ended with other values")
        self.report(name, problems, detail)

    def killed(self):
        def cause():
            os.kill(processes(HOSTS[2], self.norma.name)[0], signal.SIGKILL)
        name = "a killed rank"
        self.continued(name, *self.fault(name, cause, ["rank 2", "signal 9"]))

    def stopped(self):
        def cause():
            os.kill(processes(HOSTS[1], self.norma.name)[0], signal.SIGSTOP)
        name = "a stopped rank"
        self.continued(name, *self.fault(name, cause, ["rank 1 (norma-b) does not answer"]))

    def cut(self):
        name = "a cut link"
        # Either mpirun ends the job, which does not know ranks, or the time-out does: the message
        # comes before both.
        found = self.fault(name, lambda: cut_link(2), ["rank 2 (norma-c) does not answer"])
        mend_link(2)
        self.continued(name, *found)

    def full(self):
        """The disk of rank 0, of which a file takes the rest."""
        disk = self.folder / "disk"
        disk.mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk))
        try:
            def cause():
                filler = os.open(disk / "filler", os.O_CREAT | os.O_WRONLY)
                try:
                    while os.write(filler, b"0" * 4096):
                        pass
                except OSError:
                    pass
                finally:
                    os.close(filler)
            name = "a full disk"
            out, problems, detail = self.fault(
                name, cause, ["rank 0 (norma-a)", "space"], disk / "run.safetensors")
            (disk / "filler").unlink()
            self.continued(name, out, problems, detail)
        finally:
            run("umount", str(disk))

    def damaged(self):
        """The newest checkpoint of a killed run, cut in half."""
        def cause():
            os.kill(processes(HOSTS[2], self.norma.name)[0], signal.SIGKILL)
        name = "a damaged checkpoint"
        out, problems, _ = self.fault(name, cause, ["rank 2"], after=3)
        data = out.read_bytes()
        out.write_bytes(data[: len(data) // 2])
        job = Job(self.folder, self.norma, self.arguments(out, out))
        status, seconds, errors = job.end(LIMIT)
        previous = f"{out}.previous"
        if status in (0, None):
            problems.append(f"the damaged file was accepted: {status}")
        for text in ("rank 0 (norma-a)", previous):
            if text not in errors:
                problems.append(f"no message has {text!r}:\n{errors}")
        if left_behind():
            problems.append("processes are left")
        message = next((l for l in errors.splitlines() if "rank 0" in l), "")
        self.continued(name, out, problems, f"; ended after {seconds:.1f} s: {message[:300]}",
                       previous)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("norma", type=lambda p: pathlib.Path(p).resolve())
    parser.add_argument(
        "--only", action="append", help="one of killed, stopped, cut, full, damaged")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("three-hosts.py: run this as root: it makes network namespaces")
    with tempfile.TemporaryDirectory(prefix="norma-hosts-") as folder:
        begin_hosts()
        try:
            checks = Checks(options.norma, pathlib.Path(folder))
            checks.whole()
            for name in ["killed", "stopped", "cut", "full", "damaged"]:
                if not options.only or name in options.only:
                    getattr(checks, name)()
        finally:
            end_hosts()
    return 1 if checks.failures else 0


if __name__ == "__main__":
    sys.exit(main())
