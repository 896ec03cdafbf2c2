#!/usr/bin/env python3
"""Writes the small PyTorch files that NormaFilesTests reads. Needs torch; run from the repository root.

Files whose name starts with `refused-` must be rejected. Some of them would run code in PyTorch;
here they are only written.
"""
import argparse, collections, io, os, pathlib, pickle, struct, zipfile
import numpy
import torch

folder = pathlib.Path("Tests/NormaFilesTests/Fixtures")


def state():
    """Tensors of a layer, an empty one and a number."""
    return collections.OrderedDict(
        a=torch.arange(-2.0, 4.0).reshape(2, 3), n=torch.tensor(7), z=torch.zeros(0, 3))


def save(name, content, **options):
    torch.save(content, folder / name, **options)


def members(name):
    with zipfile.ZipFile(folder / name) as archive:
        return {item.filename: archive.read(item) for item in archive.infolist()}


def pack(name, content, method=zipfile.ZIP_STORED, root="archive", wide=False, target=None):
    """A ZIP file as written by other tools."""
    with zipfile.ZipFile(target or folder / name, "w", method) as archive:
        for member, data in content.items():
            info = zipfile.ZipInfo(root + member[member.index("/"):] if root else
                                   member[member.index("/") + 1:])
            info.compress_type = method
            with archive.open(info, "w", force_zip64=wide) as file:
                file.write(data)


class Stream(io.RawIOBase):
    """A target that cannot seek: sizes then follow the members instead of preceding them."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.data += data
        return len(data)


# The same tensors in every container and protocol.
for protocol in (2, 3, 4, 5):
    save(f"state-{protocol}.pt", state(), pickle_protocol=protocol)
    save(f"legacy-{protocol}.pt", state(), pickle_protocol=protocol,
         _use_new_zipfile_serialization=False)
plain = members("state-2.pt")
slim = {name: plain[name] for name in plain if "serialization_id" not in name}
pack("small-stored.pt", slim)
pack("small-deflated.pt", slim, zipfile.ZIP_DEFLATED)
(folder / "small-legacy.pt").write_bytes((folder / "legacy-2.pt").read_bytes())
pack("state-root.pt", plain, root="some/where")
pack("state-bare.pt", plain, root="")
pack("state-zip64.pt", plain, wide=True)
stream = Stream()
pack("", plain, zipfile.ZIP_DEFLATED, target=stream)
(folder / "state-streamed.pt").write_bytes(stream.data)
big = dict(slim)
for name, data in slim.items():
    if name.endswith("byteorder"):
        big[name] = b"big"
    if "/data/" in name:
        size = 8 if len(data) == 8 else 4
        big[name] = b"".join(data[i:i + size][::-1] for i in range(0, len(data), size))
pack("state-big.pt", big)
# Writers that compute no checksums leave zeros.
data = bytearray((folder / "small-stored.pt").read_bytes())
for mark, offset in ((b"PK\3\4", 14), (b"PK\1\2", 16)):
    place = data.find(mark)
    while place >= 0:
        data[place + offset:place + offset + 4] = bytes(4)
        place = data.find(mark, place + 1)
(folder / "state-unchecked.pt").write_bytes(data)
wrong = bytearray((folder / "small-stored.pt").read_bytes())
wrong[wrong.index(struct.pack("<6f", *range(-2, 4)))] ^= 1
(folder / "damaged-data.pt").write_bytes(wrong)

# Every element type. Those in the second group have no tensor in Norma.
types = {}
for name in ("float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool uint16 uint32 "
             "uint64 complex64 float8_e4m3fn float8_e5m2").split():
    types[name] = torch.tensor([0.0, 1.0, 3.0]).to(getattr(torch, name))
save("types.pt", types)
old = {name: types[name] for name in types if name[:4] != "uint" or name == "uint8"}
save("types-legacy.pt", {n: t for n, t in old.items() if "float8" not in n},
     _use_new_zipfile_serialization=False)

# Layouts: offsets, strides, repeated elements, shared memory.
base = torch.arange(12.0).reshape(3, 4)
views = {
    "base": base, "transposed": base.t(), "column": base[:, 1], "stepped": base[::2, 1::2],
    "expanded": torch.tensor([5.0]).expand(2, 3), "diagonal": base.diagonal(),
    "scalar": base[2, 3], "half": base[:2].half()[1:], "reversed": base.flip(0),
    "last": base[2:].to(memory_format=torch.contiguous_format),
    "channels": torch.arange(16.0).reshape(1, 2, 2, 4).to(memory_format=torch.channels_last),
}
save("views.pt", views)
save("views-legacy.pt", views, _use_new_zipfile_serialization=False)

# What training leaves: trees, optimizers, parameters, other objects that are data.
layer = torch.nn.BatchNorm1d(2)
optimizer = torch.optim.Adam(layer.parameters())
layer(torch.tensor([[1.0, 2.0], [3.0, 5.0]])).sum().backward()
optimizer.step()
save("training.pt", {
    "epoch": 3, "loss": 0.25, "note": None, "state_dict": layer.state_dict(),
    "optimizer_states": [optimizer.state_dict()], "device": torch.device("cpu"),
    "hyper_parameters": argparse.Namespace(lr=0.1, sizes=[1, 2], dtype=torch.float32),
    "averages": (torch.tensor([1.0]), {"x": torch.tensor([2.0])}), "big": 1 << 70,
    "seen": {1, 2}, "steps": collections.defaultdict(list, a=[1]), "shape": torch.Size([1, 2]),
    3: torch.tensor([3.0]), ("k", 1): torch.tensor([4.0]), "a.b": torch.tensor([5.0]),
    "a": {"b": torch.tensor([6.0])},
})
save("parameter.pt", {"p": torch.nn.Parameter(torch.ones(2)), "b": torch.nn.Buffer(torch.ones(1))})
tagged = torch.ones(2)
tagged.note = "an attribute"
save("tagged.pt", {"t": tagged})
save("single.pt", torch.arange(3))
save("list.pt", [torch.tensor([1.0]), torch.tensor([2.0])])
shared = torch.ones(2)
save("shared.pt", {"first": shared, "second": shared})
# A storage within the pickle, as pickle.dumps writes it.
(folder / "plain.pt").write_bytes(pickle.dumps({"a": torch.arange(3.0)}, protocol=2))
save("partial.pt", {
    "fine": torch.ones(2), "sparse": torch.eye(2).to_sparse(),
    "rows": torch.eye(2).to_sparse_csr(), "meta": torch.empty(3, 4, device="meta"),
})

# To be rejected.


class Call:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


save("refused-system.pt", {"a": torch.ones(1), "b": Call(os.system, "true")})
save("refused-system-legacy.pt", {"b": Call(os.system, "true")},
     _use_new_zipfile_serialization=False)
save("refused-eval.pt", {"b": Call(eval, "1 + 1")}, pickle_protocol=4)
save("refused-getattr.pt", {"b": Call(getattr, "a", "upper")})
save("refused-module.pt", torch.nn.Sequential(torch.nn.Linear(1, 1)))
save("refused-numbers.pt", {"epoch": 1})
(folder / "refused-numpy.pt").write_bytes(pickle.dumps({"a": numpy.ones(2)}, protocol=2))
(folder / "refused-empty.pt").write_bytes(b"")
(folder / "refused-page.pt").write_bytes(b"<!DOCTYPE html><title>Not found</title>")
(folder / "refused-pointer.pt").write_bytes(
    b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")


def altered(name, *changes):
    """The small file with other parts of its pickle."""
    content = dict(slim)
    for old, new in changes:
        key = next(key for key in content if key.endswith("data.pkl"))
        assert content[key].count(old) >= 1, (name, old)
        content[key] = content[key].replace(old, new, 1)
    pack(name, content)


shape = b"K\x00K\x02K\x03\x86"
altered("refused-shape.pt", (shape, b"K\x00J\xff\xff\xff\x7fK\x03\x86"))
altered("refused-product.pt",
        (shape, b"K\x00\x8a\x08" + b"\xff" * 7 + b"\x7f" + b"\x8a\x08" + b"\xff" * 7 + b"\x7f\x86"))
altered("refused-negative.pt", (shape, b"K\x00J\xff\xff\xff\xffK\x03\x86"))
altered("refused-offset.pt", (shape, b"\x8a\x08" + b"\xff" * 7 + b"\x7fK\x02K\x03\x86"))
altered("refused-stride.pt", (b"K\x03K\x01\x86", b"\x8a\x08" + b"\xff" * 7 + b"\x3fK\x01\x86"))
altered("refused-backward.pt", (b"K\x03K\x01\x86", b"J\xff\xff\xff\xffK\x01\x86"))
altered("refused-count.pt", (b"K\x06t", b"\x8a\x08" + b"\xff" * 7 + b"\x7ft"))
missing = {name: slim[name] for name in slim if not name.endswith("data/0")}
pack("refused-missing.pt", missing)
pack("refused-jit.pt", {"a/data.pkl": b"\x80\x02}.", "a/constants.pkl": b"\x80\x02).",
                        "a/code/__torch__.py": b""})
pack("refused-export.pt", {"a/archive_format": b"pt2", "a/models/model.json": b"{}"})
pack("refused-zip.pt", {"a/readme.txt": b"no model", "a/constants.pkl": b""})
# A tree that is small in the file and endless to walk, and one that is too deep.
wide = b"\x80\x02](K\x01eq\x00"
for level in range(40):
    wide += b"0](h%ch%ceq%c" % (level, level, level + 1)
pack("refused-wide.pt", {"a/data.pkl": wide + b"."})
pack("refused-deep.pt", {"a/data.pkl": b"\x80\x02" + b"(" * 70000 + b"l" * 70000 + b"."},
     zipfile.ZIP_DEFLATED)
