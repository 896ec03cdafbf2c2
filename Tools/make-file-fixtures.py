#!/usr/bin/env python3
"""Writes the small files that NormaFilesTests reads. Needs NumPy; run from the repository root."""
import gzip, io, json, pathlib, struct, zipfile
import numpy as np
from numpy.lib import format as npy

folder = pathlib.Path("Tests/NormaFilesTests/Fixtures")
folder.mkdir(parents=True, exist_ok=True)


def save(name, array, version=None):
    buffer = io.BytesIO()
    npy.write_array(buffer, array, version=version)
    (folder / name).write_bytes(buffer.getvalue())
    return buffer.getvalue()


def packed(data):
    """gzip without a date, so that the bytes stay the same."""
    return gzip.compress(data, 9, mtime=0)


# .npy: every type, byte order and layout. Element i of six is i - 2 for signed types, else i.
for code in ["|b1", "|u1", "<i4", "<i8", "<f2", "<f4", "<f8"]:
    first = 0 if code in ("|b1", "|u1") else -2
    save(f"c-{code[1:]}.npy", np.arange(first, first + 6).astype(code).reshape(2, 3))
for code in [">i4", ">i8", ">f2", ">f4", ">f8"]:
    save(f"big-{code[1:]}.npy", np.arange(-2, 4).astype(code).reshape(2, 3))
cube = np.arange(24).reshape(2, 3, 4)
save("fortran-f4.npy", np.asfortranarray(cube.astype("<f4")))
save("fortran-big-i2.npy", np.asfortranarray(cube.astype(">i2") - 5))
save("fortran-b1.npy", np.asfortranarray(cube % 3 == 0))
save("version2.npy", np.arange(6, dtype="<f4"), version=(2, 0))
save("version3.npy", np.arange(6, dtype="<f4"), version=(3, 0))
save("scalar.npy", np.array(2.5, dtype="<f8"))
save("empty.npy", np.zeros((0, 3), dtype="<f4"))
save("limits-i1.npy", np.array([-128, -1, 0, 127], dtype="i1"))
save("limits-i2.npy", np.array([-32768, -1, 0, 32767], dtype="<i2"))
save("limits-u2.npy", np.array([0, 1, 32768, 65535], dtype="<u2"))
save("limits-u4.npy", np.array([0, 1, 2**31, 2**32 - 1], dtype=">u4"))
save("limits-u8.npy", np.array([0, 1, 2**63, 2**64 - 1], dtype="<u8"))
for name, array in {
    "c8": np.zeros(2, "c8"), "c16": np.zeros(2, "c16"), "U3": np.array(["abc"]),
    "S3": np.array([b"abc"]), "M8": np.array(["2020-01-01"], "M8[D]"), "V2": np.zeros(2, "V2"),
    "records": np.zeros(2, [("a", "<f4"), ("b", "<i4")]), "O": np.array([None, 1], dtype=object),
}.items():
    save(f"refused-{name}.npy", array)
save("one.npy", np.arange(6, dtype="<f4").reshape(2, 3))
(folder / "one.npy.gz").write_bytes(packed((folder / "one.npy").read_bytes()))

# .npz: stored, deflated, and with 64-bit sizes as numpy.savez writes them.
members = {"a": np.arange(6, dtype="<f4").reshape(2, 3), "b/c": np.array([1, 2], dtype="<i8")}
for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
    with zipfile.ZipFile(folder / f"{name}.npz", "w", method) as archive:
        for key, array in members.items():
            buffer = io.BytesIO()
            npy.write_array(buffer, array)
            archive.writestr(zipfile.ZipInfo(key + ".npy"), buffer.getvalue(), method)
np.savez(folder / "numpy.npz", **members)
with zipfile.ZipFile(folder / "checkpoint.npz", "w") as archive:
    archive.writestr(zipfile.ZipInfo("archive/data.pkl"), b"\x80\x02.")

# IDX: all types; three axes and one; gzip of one and of several members; a bomb.
def idx(code, array):
    shape = b"".join(struct.pack(">I", n) for n in array.shape)
    return bytes([0, 0, code, array.ndim]) + shape + array.tobytes()


pixels = idx(0x08, cube.astype("u1") * 10)
(folder / "u8.idx").write_bytes(pixels)
(folder / "u8.idx.gz").write_bytes(packed(pixels))
(folder / "members.idx.gz").write_bytes(packed(pixels[:20]) + packed(b"") + packed(pixels[20:]))
for code, dtype in [(0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]:
    (folder / f"{dtype[1:]}.idx").write_bytes(idx(code, np.arange(-2, 4).astype(dtype).reshape(2, 3)))
claim = bytes([0, 0, 0x08, 3]) + struct.pack(">III", 2**31, 2**8, 2**9)
(folder / "bomb.idx.gz").write_bytes(packed(claim + bytes(1 << 17)))

# safetensors, by the rules of the format: wider types first, then names; the header padded to 8.
def safetensors(name, entries, metadata=None, tail=b""):
    header = {"__metadata__": metadata} if metadata else {}
    data = b""
    for key, dtype, shape, raw in entries:
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    (folder / name).write_bytes(struct.pack("<Q", len(text)) + text + data + tail)


six = np.arange(-2, 4)
safetensors("all.safetensors", [
    ("i64", "I64", [2, 3], six.astype("<i8").tobytes()),
    ("f64", "F64", [], struct.pack("<d", 2.5)),
    ("f32", "F32", [2, 3], six.astype("<f4").tobytes()),
    ("i32", "I32", [6], six.astype("<i4").tobytes()),
    ("bf16", "BF16", [2], struct.pack("<HH", 0x3F80, 0xC000)),
    ("f16", "F16", [2, 1], np.array([1, -2], "<f2").tobytes()),
    ("empty", "U8", [0, 3], b""),
    ("größe", "U8", [3], bytes([0, 1, 255])),
    ("bool", "BOOL", [3], bytes([0, 1, 1])),
], {"format": "pt", "note": 'a "quoted" note'})
safetensors("others.safetensors", [
    ("f8", "F8_E4M3", [2], b"\0\0"), ("c64", "C64", [1], bytes(8)), ("f4", "F4", [4], b"\0\0"),
    ("new", "X9", [3], b"\0"), ("fine", "F32", [1], struct.pack("<f", 1.5)),
])
# As the reference writer orders them.
integers = [("U64", "<u8"), ("I64", "<i8"), ("U32", "<u4"), ("I32", "<i4"), ("U16", "<u2"), ("I16", "<i2"),
            ("I8", "i1"), ("U8", "u1")]
safetensors("integers.safetensors", [
    (name.lower(), name, [3], np.array([np.iinfo(code).min, 1, np.iinfo(code).max], code).tobytes())
    for name, code in integers
])
safetensors("one.safetensors", [("w", "F32", [2], struct.pack("<ff", 1, 2))])
safetensors("none.safetensors", [])
