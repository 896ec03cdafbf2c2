/// A function or class that a pickle names, and its meaning here.
///
/// Python would import and call it. Here a name represents data, or the file is rejected.
struct PickleGlobal {
  enum Meaning {
    /// `torch.FloatStorage`: the element type of a storage.
    case storage(PyTorchElement)
    /// `torch.float32`.
    case dtype(PyTorchElement)
    case rebuild(Rebuild)
    case dictionary
    case list
    case tuple
    case set
    /// `_codecs.encode`: bytes, as written by pickle protocol 2.
    case encode
    /// A class whose instances contain only data; none of its code is run.
    case data
    /// A class that is passed as an argument and never called.
    case type
  }

  /// PyTorch's functions that reconstruct tensors.
  enum Rebuild {
    case tensor, tensorWithType, parameter, typed, quantized, sparse, nested, meta, wrapper
    case fromNumPy, storage, numpyArray
  }

  let name: String
  let meaning: Meaning

  /// The meaning of a name, or an error that says what running it would mean.
  init(module: String, name: String, context: FileContext) throws {
    let full = "\(module).\(name)"
    guard let meaning = Self.meaning(module, name, full) else {
      throw Self.refusal(module, full, context)
    }
    (self.name, self.meaning) = (full, meaning)
  }

  private static func meaning(_ module: String, _ name: String, _ full: String) -> Meaning? {
    if let known = fixed[full] { return known }
    switch module {
    case "torch":
      if let element = PyTorchElement.named[name] { return .dtype(element) }
      return storage(name)
    case "torch.cuda", "torch.storage": return storage(name)
    default: return nil
    }
  }

  private static func storage(_ name: String) -> Meaning? {
    PyTorchElement.storages[name].flatMap { PyTorchElement.named[$0] }.map { .storage($0) }
  }

  private static let fixed: [String: Meaning] = {
    var result: [String: Meaning] = [
      "torch._utils._rebuild_tensor": .rebuild(.tensor),
      "torch._utils._rebuild_tensor_v2": .rebuild(.tensor),
      "torch._utils._rebuild_tensor_v3": .rebuild(.tensorWithType),
      "torch._utils._rebuild_parameter": .rebuild(.parameter),
      "torch._utils._rebuild_parameter_with_state": .rebuild(.parameter),
      "torch._tensor._rebuild_from_type": .rebuild(.typed),
      "torch._tensor._rebuild_from_type_v2": .rebuild(.typed),
      "torch._utils._rebuild_qtensor": .rebuild(.quantized),
      "torch._utils._rebuild_sparse_tensor": .rebuild(.sparse),
      "torch._utils._rebuild_sparse_csr_tensor": .rebuild(.sparse),
      "torch._utils._rebuild_nested_tensor": .rebuild(.nested),
      "torch._utils._rebuild_meta_tensor_no_storage": .rebuild(.meta),
      "torch._utils._rebuild_wrapper_subclass": .rebuild(.wrapper),
      "torch._utils._rebuild_device_tensor_from_numpy": .rebuild(.fromNumPy),
      "torch.storage._load_from_bytes": .rebuild(.storage),
      "_codecs.encode": .encode, "torch.Size": .tuple, "collections.deque": .list,
    ]
    let builtins = ["builtins", "__builtin__"]
    for module in builtins {
      for name in ["set", "frozenset"] { result["\(module).\(name)"] = .set }
      for name in ["complex", "slice", "range", "bytearray", "bytes"] {
        result["\(module).\(name)"] = .data
      }
      for (name, meaning) in [("list", Meaning.list), ("tuple", .tuple), ("dict", .dictionary)] {
        result["\(module).\(name)"] = meaning
      }
      for name in ["int", "float", "bool", "str", "object"] { result["\(module).\(name)"] = .type }
    }
    for name in [
      "collections.OrderedDict", "collections.defaultdict", "collections.Counter",
      "pytorch_lightning.utilities.parsing.AttributeDict",
      "lightning.pytorch.utilities.parsing.AttributeDict",
      "lightning_fabric.utilities.data.AttributeDict",
      "lightning.fabric.utilities.data.AttributeDict",
    ] { result[name] = .dictionary }
    for name in [
      "torch.device", "torch.serialization._get_layout", "torch.torch_version.TorchVersion",
      "argparse.Namespace", "types.SimpleNamespace", "pathlib.Path", "pathlib.PosixPath",
      "pathlib.WindowsPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath",
      "pathlib._local.PosixPath", "pathlib._local.WindowsPath", "datetime.datetime",
      "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone", "uuid.UUID",
      "decimal.Decimal", "fractions.Fraction", "numpy.dtype",
    ] { result[name] = .data }
    for core in ["numpy.core", "numpy._core"] {
      result["\(core).multiarray._reconstruct"] = .rebuild(.numpyArray)
      result["\(core).multiarray.scalar"] = .data
      result["\(core).numeric._frombuffer"] = .rebuild(.numpyArray)
    }
    for name in [
      "torch.Tensor", "torch._tensor.Tensor", "torch.tensor.Tensor",
      "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "torch.storage.TypedStorage",
      "torch.storage._TypedStorage", "torch.per_tensor_affine", "torch.per_channel_affine",
      "torch.strided", "torch.sparse_coo", "torch.sparse_csr", "torch.sparse_csc",
      "torch.sparse_bsr", "torch.sparse_bsc", "torch.contiguous_format", "torch.channels_last",
      "torch.preserve_format", "numpy.ndarray",
    ] { result[name] = .type }
    return result
  }()

  /// Advice for a file that contains more than tensors.
  static let wayOut = "in PyTorch write torch.save(model.state_dict(), \"state.pt\") instead"

  private static func refusal(
    _ module: String, _ full: String, _ context: FileContext
  ) -> FileError {
    let title = "GLOBAL \(printable(full))"
    if module == "torch.nn" || module.hasPrefix("torch.nn.modules")
      || module.hasPrefix("torchvision.models") || module.hasPrefix("timm.models")
      || module.hasPrefix("transformers.models")
    {
      return context.unsupported(
        "holds a whole module, which is code and not only tensors",
        "\(title) is a class whose code PyTorch would run; \(Self.wayOut)")
    }
    return context.unsupported(
      "would run code",
      "\(title) is not one of the names that represent data, and nothing was run; if this file is "
        + "yours, \(Self.wayOut)")
  }

  /// A name from a file, without quotes and control characters.
  private static func printable(_ name: String) -> String {
    String(quoted(name).dropFirst().dropLast())
  }
}
