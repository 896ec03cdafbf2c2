"""Draws a condition for each number, and writes the folders."""

import random
import time

from . import stored, training, use  # noqa: F401  (each registers its conditions, in this order)
from .patients import DEFECTS, Patient, truth

# Conditions whose truth depends on data of training, which a second capture has.
DECIDED_BY_TRAINING = ("overwritten", "some-classes", "other-scale", "averaged", "foreign", "dropout")


def healthy(r):
    p = Patient(r, norms=r.choice(["batch"] * 6 + ["group", "layer", "instance", "rms", "own"]))
    p.train()
    p.tell_perhaps()
    return p, truth(None)


def generate(out, count, seed, first=0):
    names = list(DEFECTS)
    start = time.time()
    for i in range(first, first + count):
        r = random.Random(seed * 1_000_003 + i)
        name = "healthy" if i % 3 == 0 else names[(i - i // 3 - 1) % len(names)]
        patient, known = (DEFECTS.get(name) or healthy)(r)
        patient.write(out / ("%04d-%s" % (i, name)), known,
                      training=name in DECIDED_BY_TRAINING or name == "healthy" and i % 12 == 0)
        print("%4d %-24s %6.1f s" % (i, name, time.time() - start), flush=True)
