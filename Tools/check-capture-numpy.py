#!/usr/bin/env python3
"""Checks norma_capture_numpy.py and `norma doctor` on small Keras and Flax networks.

    pip install keras flax torch
    Tools/check-capture-numpy.py --norma .build/release/norma [--backend torch|jax|tensorflow]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Sources/NormaCLI/Capture"))


def keras_network():
    import keras
    from keras import layers as L
    model = keras.Sequential([
        keras.Input((12, 12, 3)), L.Conv2D(8, 3, use_bias=False), L.BatchNormalization(momentum=0.9), L.ReLU(),
        L.Conv2D(8, 3), L.BatchNormalization(momentum=0.9), L.ReLU(), L.GroupNormalization(4), L.Flatten(),
        L.Dropout(0.3), L.Dense(16), L.LayerNormalization(), L.Dense(4), L.RMSNormalization()])
    model.compile("adam", "mse")

    def train(x):
        model.fit(x, np.zeros((len(x), 4), np.float32), epochs=5, batch_size=32, verbose=0)

    norms = [layer for layer in model.layers if isinstance(layer, L.BatchNormalization)]
    return model, train, norms[0].moving_variance, norms[1].moving_variance, "sequential.batch_normalization_1", 5


def flax_network():
    import jax.numpy as jnp
    from flax import nnx

    class Network(nnx.Module):
        def __init__(self, rngs):
            self.first, self.second = nnx.Conv(3, 8, (3, 3), rngs=rngs), nnx.Conv(8, 8, (3, 3), rngs=rngs)
            self.norms = nnx.List([nnx.BatchNorm(8, momentum=0.9, rngs=rngs) for _ in range(2)])
            self.group, self.instance = nnx.GroupNorm(8, 4, rngs=rngs), nnx.InstanceNorm(8, rngs=rngs)
            self.drop, self.head = nnx.Dropout(0.3, rngs=rngs), nnx.Linear(8, 16, rngs=rngs)
            self.layer, self.rms = nnx.LayerNorm(16, rngs=rngs), nnx.RMSNorm(16, rngs=rngs)

        def __call__(self, x):
            x = nnx.relu(self.norms[0](self.first(x)))
            x = nnx.relu(self.norms[1](self.second(x)))
            x = self.instance(self.group(x)) + x
            return self.rms(self.layer(self.drop(self.head(x.mean((1, 2))))))

    model = Network(nnx.Rngs(0))

    def train(x):
        model.train()
        for _ in range(5):
            for start in range(0, len(x), 32):
                model(jnp.asarray(x[start:start + 32]))

    return model, train, model.norms[0].var, model.norms[1].var, "norms.1", 6


def doctor(norma, *arguments):
    done = subprocess.run([norma, "doctor", *arguments, "--json"], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    return done.returncode, report["diagnosis"], report.get("repair")


def scaled(variable, factor):
    """Multiplies a running variance in place."""
    if hasattr(variable, "assign"):
        variable.assign(variable * factor)
    else:
        variable[...] = variable[...] * factor


def check(network, norma, folder):
    from norma_capture_numpy import capture
    model, train, first, second, name, layers = network()
    x = np.random.default_rng(0).normal(2, 3, (512, 12, 12, 3)).astype(np.float32)
    train(x)
    paths = [os.path.join(folder, k) for k in ("good.safetensors", "other.safetensors", "wrong.safetensors")]
    as_is = type(model).__call__
    capture(model, x[:128], paths[0], data="training", quiet=True)
    capture(model, x[:128] * 0.3 + 1, paths[1], data="use", quiet=True)
    status, found, _ = doctor(norma, paths[0])
    formulas = found["formulas"]
    assert (status, found["findings"]) == (0, []), found["findings"]
    assert len(formulas) == layers and not any(f["isOff"] for f in formulas), formulas
    assert not [f for f in formulas if "obstacle" in f], formulas
    status, found, _ = doctor(norma, paths[1], "--train", paths[0])
    assert (status, found["findings"][0]["defect"]) == (1, "domain-shift"), found["findings"]
    scaled(second, 4)
    capture(model, x[:128], paths[2], data="training", quiet=True)
    status, found, _ = doctor(norma, paths[2])
    assert status == 1 and found["findings"][0]["layers"] == [name], found["findings"]
    check_repairs(model, x[:128], second, norma, paths[2])
    assert type(model).__call__ is as_is


def check_repairs(model, x, variance, norma, path):
    """Checks that the lines printed by doctor, to load and to compute new statistics, run and repair the network."""
    from norma_capture_numpy import capture
    _, found, repair = doctor(norma, path, "--repair", path + ".fixed")
    names = {"model": model, "train_data": [(x, None)], **{k: sys.modules.get(k) for k in ("keras",)}}
    names["nnx"] = sys.modules.get("flax.nnx")
    for lines in (repair["code"], found["findings"][0]["now"][found["framework"]]):
        scaled(variance, 4)
        exec("\n".join(lines), names)
        capture(model, x, path, data="training", quiet=True)
        status, after, _ = doctor(norma, path)
        assert (status, after["findings"]) == (0, []), (lines, after["findings"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--norma", required=True, help="the command to check")
    parser.add_argument("--backend", default="torch", help="Keras' back end")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = options.backend
    with tempfile.TemporaryDirectory() as folder:
        for network in (keras_network, flax_network):
            check(network, options.norma, folder)
            print("%s: right" % network.__name__)
