#!/usr/bin/env python3
"""Records calls of PyTorch: inputs, results in float32, and the truth in float64.

    python3 Tools/make-torch-fixtures.py [FOLDER]

FOLDER (Tests/Fixtures/torch) gets a manifest.json and, for each operation, a .json beside a
.safetensors file, in the form that the `conformance` tool reads. Needs torch and numpy.

A case holds its arguments, `outputs_f32`, `outputs_f64` from the same numbers widened, what the
call left behind in its arguments (`mutated_*`) or buffers (`state_after_*`), and `f32_vs_f64`:
PyTorch's own worst error, which a result must not exceed. `error_cases` are calls that PyTorch
rejects.
"""

import json
import math
import pathlib
import struct
import sys
import zlib

import numpy
import torch

SAFE_NAMES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
}


def dtype_name(dtype):
    return str(dtype).removeprefix("torch.")


def raw_bytes(tensor):
    """The elements, row-major and little-endian."""
    tensor = tensor.detach().contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def write_safetensors(path, tensors):
    header, blobs, offset = {}, [], 0
    order = list(SAFE_NAMES)
    # The reference writer puts the widest types first, which keeps all data aligned.
    for key in sorted(tensors, key=lambda key: (-order.index(tensors[key].dtype), key)):
        tensor = tensors[key]
        blob = raw_bytes(tensor)
        header[key] = {
            "dtype": SAFE_NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


class Recorder:
    """Collects the cases of one entry."""

    def __init__(self, name):
        self.name = name
        self.tensors = {}
        self.cases = []
        self.errors = []

    def encode(self, value, key):
        if isinstance(value, torch.Tensor):
            self.tensors[key] = value.detach().clone().contiguous()
            form = {"tensor": key, "dtype": dtype_name(value.dtype), "shape": list(value.shape)}
            if not value.is_contiguous():
                form["strides"] = list(value.stride())
            return form
        if isinstance(value, (tuple, list)):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return {kind: [self.encode(v, f"{key}.{i}") for i, v in enumerate(value)]}
        if isinstance(value, torch.dtype):
            return {"dtype": dtype_name(value)}
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop, value.step]}
        if value is Ellipsis:
            return {"ellipsis": True}
        if isinstance(value, float) and not math.isfinite(value):
            return {"float": str(value)}
        return value

    def encode_call(self, prefix, args, kwargs):
        return {
            "args": [self.encode(v, f"{prefix}/in.{i}") for i, v in enumerate(args)],
            "kwargs": {k: self.encode(v, f"{prefix}/kw.{k}") for k, v in kwargs.items()},
        }

    def put_results(self, case, prefix, member, name, results32, results64):
        """Stores results of both precisions, by index or by name, with their difference."""
        for key, value32 in results32.items():
            value64 = results64[key]
            case.setdefault(f"{member}_f32", {})[key] = f"{prefix}/{name}.{key}.f32"
            case.setdefault(f"{member}_f64", {})[key] = f"{prefix}/{name}.{key}.f64"
            self.tensors[f"{prefix}/{name}.{key}.f32"] = value32.detach().clone().contiguous()
            self.tensors[f"{prefix}/{name}.{key}.f64"] = value64.detach().clone().contiguous()
            if value32.dtype.is_floating_point:
                case["f32_vs_f64"][f"{name}.{key}"] = difference(value32, value64)

    def add(self, function, *args, **kwargs):
        prefix = str(len(self.cases))
        case = {"id": f"{self.name}#{prefix}", **self.encode_call(prefix, args, kwargs)}
        case["f32_vs_f64"] = {}
        args64, kwargs64 = widened(args), widened(kwargs)
        before = [v.clone() if isinstance(v, torch.Tensor) else None for v in args]
        results32 = as_list(function(*args, **kwargs))
        results64 = as_list(function(*args64, **kwargs64))
        self.put_outputs(case, prefix, results32, results64)
        changed = [
            i for i, old in enumerate(before)
            if old is not None and not torch.equal(old.nan_to_num(), args[i].nan_to_num())
        ]
        self.put_results(
            case, prefix, "mutated", "mut",
            {f"in.{i}": args[i] for i in changed}, {f"in.{i}": args64[i] for i in changed})
        self.cases.append(case)

    def put_outputs(self, case, prefix, results32, results64):
        self.put_results(
            case, prefix, "outputs", "out",
            {str(i): v for i, v in enumerate(results32)},
            {str(i): v for i, v in enumerate(results64)})
        for precision, results in (("f32", results32), ("f64", results64)):
            keys = case.pop(f"outputs_{precision}", {})
            case[f"outputs_{precision}"] = [
                {"tensor": keys[str(i)], "dtype": dtype_name(v.dtype), "shape": list(v.shape)}
                for i, v in enumerate(results)
            ]

    def add_module(self, kind, args, kwargs, x, training=True):
        prefix = str(len(self.cases))
        module = kind(*args, **kwargs)
        generator = torch.Generator().manual_seed(len(self.cases))
        with torch.no_grad():
            for name, value in module.state_dict().items():
                if value.dtype.is_floating_point:
                    value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
        module.train(training)
        twin = kind(*args, **kwargs).double()
        twin.load_state_dict(module.state_dict())
        twin.train(training)
        call = self.encode_call(prefix, (x,), {})
        constructor = self.encode_call(f"{prefix}/ctor", args, kwargs)
        case = {
            "id": f"{self.name}#{prefix}", "training": training,
            "ctor_args": constructor["args"], "ctor_kwargs": constructor["kwargs"], **call,
            "state": {
                name: self.encode(value, f"{prefix}/state.{name}")
                for name, value in module.state_dict().items()
            },
            "f32_vs_f64": {},
        }
        self.put_outputs(case, prefix, [module(x)], [twin(x.double())])
        buffers, buffers64 = dict(module.named_buffers()), dict(twin.named_buffers())
        self.put_results(case, prefix, "state_after", "after", buffers, buffers64)
        self.cases.append(case)

    def add_module_error(self, kind, args, kwargs, x, training=True):
        prefix = f"e{len(self.errors)}"
        call = self.encode_call(prefix, (x,), {})
        constructor = self.encode_call(f"{prefix}/ctor", args, kwargs)
        case = {
            "training": training, "ctor_args": constructor["args"],
            "ctor_kwargs": constructor["kwargs"], **call,
        }
        self.add_refusal(case, lambda: kind(*args, **kwargs).train(training)(x))

    def add_error(self, function, *args, **kwargs):
        case = self.encode_call(f"e{len(self.errors)}", args, kwargs)
        self.add_refusal(case, lambda: function(*args, **kwargs))

    def add_refusal(self, case, call):
        try:
            call()
        except Exception as error:
            name, message = type(error).__name__, str(error).splitlines()[0]
            case["error_type"] = name
            case["raised"] = {"type": name, "message": message}
            self.errors.append(case)
            return
        sys.exit(f"{self.name}: PyTorch accepts what should be an error case: {case}")


def widened(value):
    """The same arguments with float32 tensors as float64."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().to(torch.float64) if value.dtype == torch.float32 else value
    if isinstance(value, (tuple, list)):
        return type(value)(widened(v) for v in value)
    if isinstance(value, dict):
        return {k: widened(v) for k, v in value.items()}
    return value


def as_list(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def difference(value32, value64):
    truth = value64.double()
    error = (value32.double() - truth).abs()
    finite = torch.isfinite(truth) & torch.isfinite(value32.double())
    scale = truth[torch.isfinite(truth)].abs()
    return {
        "max_abs": error[finite].max().item() if finite.any() else 0.0,
        "scale": scale.max().item() if scale.numel() else 0.0,
    }


class Inputs:
    """Random arguments from a seed that depends on the entry alone."""

    def __init__(self, name):
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def __call__(self, *shape, low=-3.0, high=3.0, dtype=torch.float32):
        unit = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        values = low + (high - low) * unit
        if dtype.is_floating_point:
            return values.to(torch.float32).to(dtype)
        return values.round().to(dtype)

    def truths(self, *shape):
        return torch.rand(shape, generator=self.generator) < 0.5


from torch_fixture_cases import fill_entry, names  # noqa: E402  (beside this file)


def main():
    default = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "torch"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default
    torch.set_num_threads(1)
    entries = []
    for name, is_module in names():
        recorder = Recorder(name)
        with torch.no_grad():
            fill_entry(recorder, Inputs(name))
        place = "modules" if is_module else "ops"
        (folder / place).mkdir(parents=True, exist_ok=True)
        content = {
            "name": name, "kind": "module" if is_module else "op",
            "data": f"{place}/{name}.safetensors",
            "cases": recorder.cases, "error_cases": recorder.errors,
        }
        (folder / place / f"{name}.json").write_text(json.dumps(content, separators=(",", ":")) + "\n")
        write_safetensors(folder / place / f"{name}.safetensors", recorder.tensors)
        entries.append({
            "name": name, "kind": content["kind"], "json": f"{place}/{name}.json",
            "data": content["data"], "cases": len(recorder.cases),
            "error_cases": len(recorder.errors),
        })
    manifest = {"torch": torch.__version__, "entries": entries}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    count = sum(entry["cases"] + entry["error_cases"] for entry in entries)
    print(f"{len(entries)} entries, {count} cases, {size} bytes in {folder}")


if __name__ == "__main__":
    main()
