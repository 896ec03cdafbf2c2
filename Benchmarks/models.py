#!/usr/bin/env python3
"""Other people's ONNX models and ResNet-18 in Norma, ONNX Runtime, OpenVINO and PyTorch.

    models.py CONFORMANCE WHEELS...            median times of a call, engines in turn
    models.py CONFORMANCE WHEELS... --memory   growth over 1,000 calls of changing shapes

CONFORMANCE is the folder models with manifest.json and the models' inputs, WHEELS are folders of
unpacked wheels with the models. ResNet-18 has random weights and needs PyTorch and the package onnx
to be exported; its batch norms stay in the file. Build Norma first: swift build -c release

The last lines say which share of ONNX Runtime's time Norma takes, for all models of other people
together and for the worst one. "first" is the first call after a model was opened.
"""
import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import network_rows

ROOT = pathlib.Path(__file__).resolve().parent.parent


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("conformance")
    parser.add_argument("wheels", nargs="+")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--only", default="", help="models whose name contains this")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--norma", default=str(ROOT / ".build/release/norma"))
    return parser.parse_args()


class Model:
    def __init__(self, name, path, inputs, network=None):
        self.name, self.path, self.inputs, self.network = name, path, inputs, network
        # About a second of calls in a round, at most 200.
        self.calls = 0


def safetensors(path, prefix):
    """The arrays of a file whose names begin with a prefix, without it."""
    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    types = {"F32": "f4", "F64": "f8", "I64": "i8", "I32": "i4", "BOOL": "?"}
    found = {}
    for name, entry in json.loads(data[8:start]).items():
        if name.startswith(prefix):
            first, last = entry["data_offsets"]
            values = numpy.frombuffer(data[start + first:start + last], types[entry["dtype"]])
            found[name[len(prefix):]] = values.reshape(entry["shape"])
    return found


def others(options):
    """The ONNX models of the conformance cases that are to be opened."""
    folder = pathlib.Path(options.conformance)
    for case in json.loads((folder / "manifest.json").read_text())["cases"]:
        if case["format"] != "onnx" or not case.get("calls"):
            continue
        paths = [pathlib.Path(wheels) / case["file"] for wheels in options.wheels]
        path = next((path for path in paths if path.exists()), None)
        if path is None:
            print(f"{case['name']}: {case['file']} is in none of the folders", file=sys.stderr)
            continue
        # The first of several calls is the one that is measured.
        arrays = safetensors(folder / (case["name"] + ".safetensors"), "0/in.")
        inputs = {
            name: arrays[name].astype(about["dtype"]).reshape(about["shape"])
            for name, about in case["calls"][0]["inputs"].items()}
        yield Model(case["name"], str(path), inputs)


def resnets(folder):
    try:
        import torch
    except ImportError:
        return
    torch.manual_seed(0)
    network = network_rows.resnet18(torch).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    path = f"{folder}/resnet18.onnx"
    torch.onnx.export(
        network, (torch.randn(1, 3, 224, 224),), path, input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "n"}}, do_constant_folding=False, dynamo=False,
        training=torch.onnx.TrainingMode.PRESERVE)
    for batch in (1, 8):
        images = numpy.random.default_rng(0).standard_normal((batch, 3, 224, 224), "float32")
        yield Model(f"resnet18.batch{batch}", path, {"x": images}, network)


def norma(options, model, folder, calls, feeds=None):
    """Milliseconds of the first call and of the median, and the growth in megabytes."""
    arguments = []
    for index, feed in enumerate(feeds or [model.inputs]):
        for number, (name, value) in enumerate(feed.items()):
            path = f"{folder}/{index}.{number}.npy"
            numpy.save(path, value)
            arguments += ["--input", f"{name}={path}"]
    text = subprocess.run(
        [options.norma, "run", model.path, *arguments, "--time", str(calls)],
        check=True, capture_output=True, text=True).stdout
    numbers = re.search(
        r"([\d.]+) ms, the median of \d+ calls; first call ([\d.]+) ms; memory (\S+) MB", text)
    return float(numbers[2]), float(numbers[1]), float(numbers[3].replace("?", "nan"))


def timed(call, calls):
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    return times[0], statistics.median(times)


def onnx_runtime(model, threads):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.path, settings, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, model.inputs)


def openvino(model, threads):
    import openvino as engine
    compiled = engine.Core().compile_model(
        model.path, "CPU",
        {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
         "INFERENCE_PRECISION_HINT": "f32"})
    return lambda: compiled(model.inputs)


def torch(model, threads):
    import torch as engine
    if model.network is None:
        return None
    engine.set_num_threads(threads)
    x = engine.from_numpy(model.inputs["x"]).to(memory_format=engine.channels_last)
    network = model.network.to(memory_format=engine.channels_last)

    def call():
        with engine.no_grad():
            network(x)

    return call


def engines(model, threads):
    """The other engines that are installed and run the model."""
    found = {}
    for name, make in [("ort", onnx_runtime), ("openvino", openvino), ("torch", torch)]:
        try:
            call = make(model, threads)
        except ImportError:
            continue
        except Exception as error:  # OpenVINO has not every operator.
            print(f"{model.name}: {name} refuses it: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        if call:
            found[name] = call
    return found


def measure(options, model, folder):
    """The medians over all rounds by engine, with those of the first calls."""
    times, first = {}, {}
    found = engines(model, options.threads)
    for name, call in found.items():
        first[name] = timed(call, 1)[0]
    once = timed(found["ort"], 3)[1] if "ort" in found else 10
    model.calls = max(5, min(200, int(1000 / once)))
    for _ in range(options.rounds):
        start, median, _ = norma(options, model, folder, model.calls)
        first.setdefault("norma", start)
        times.setdefault("norma", []).append(median)
        for name, call in found.items():
            times.setdefault(name, []).append(timed(call, model.calls)[1])
    return {name: statistics.median(values) for name, values in times.items()}, first


# Axes that a model leaves free, and lengths along them.
FREE = {
    "ocr_read": ("x", 3, range(96, 353, 32)), "ocr_angle": ("x", 0, range(1, 9)),
    "resnet18.batch1": ("x", 0, range(1, 5)),
}


def changing(model):
    """Inputs of other lengths along an axis that the model leaves free, if it has one."""
    if model.name not in FREE:
        return None
    name, axis, lengths = FREE[model.name]
    value = model.inputs[name]
    return [
        {**model.inputs, name: numpy.resize(
            value, [*value.shape[:axis], length, *value.shape[axis + 1:]])}
        for length in lengths]


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder:
        models = [*others(options), *resnets(folder)]
        models = [model for model in models if options.only in model.name]
        if options.memory:
            for model in models:
                feeds = changing(model)
                if feeds:
                    _, median, growth = norma(options, model, folder, 1000, feeds)
                    print(f"{model.name:20} {median:9.3f} ms, memory {growth:+.1f} MB")
            return
        names = ["norma", "ort", "openvino", "torch"]
        print(f"{'ms':20}" + "".join(f"{name:>10}" for name in names) + "  norma/ort     first")
        ratios, sums = [], {"norma": 0, "ort": 0}
        for model in models:
            times, first = measure(options, model, folder)
            ratio = times["norma"] / times["ort"] if "ort" in times else float("nan")
            print(
                f"{model.name:20}"
                + "".join(f"{times[name]:10.3f}" if name in times else " " * 10 for name in names)
                + f"{ratio:11.2f} {first['norma']:9.1f}", flush=True)
            if model.network is None and "ort" in times:
                ratios.append((ratio, model.name))
                for name in sums:
                    sums[name] += times[name]
        if ratios:
            print(f"together {sums['norma'] / sums['ort']:.2f} x ONNX Runtime's time")
            print("worst {0:.2f} x, {1}".format(*max(ratios)))


if __name__ == "__main__":
    main()
