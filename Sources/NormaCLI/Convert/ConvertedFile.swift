import Foundation
import Norma
import NormaONNX

/// A file on its way to another: its tensors, and how they are written.
struct ConvertedFile {
  /// The formats to write, by the end of a name.
  enum Format: String {
    case safetensors, pt, npz, npy

    init?(path: String) {
      let end = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
      self.init(rawValue: end == "pth" ? "pt" : end)
    }
  }

  var conversion = NameConversion()
  /// The library whose names the file has.
  let library: NameConversion.Library

  /// - Parameter keepsAll: whether to take all of a checkpoint, or its model alone.
  /// - Throws: `FileError` if the file cannot be read.
  init(_ path: String, keepsAll: Bool) throws {
    let inspection = try FileInspection.of(path, withValues: false)
    let read = try Self.reader(path)
    let prefix =
      keepsAll || inspection.container.isEmpty ? "" : inspection.container + "."
    for entry in inspection.tensors {
      if !entry.isModel, !keepsAll { continue }
      guard let dtype = entry.readAs, entry.reason == nil else {
        conversion.left.append((entry.name, entry.reason ?? "its elements are \(entry.dtype)"))
        conversion.isIncomplete = true
        continue
      }
      let isInside = !prefix.isEmpty && entry.name.hasPrefix(prefix)
      conversion.tensors.append(
        NamedTensor(
          origins: [entry.name],
          name: isInside ? String(entry.name.dropFirst(prefix.count)) : entry.name,
          shape: entry.shape, dtype: dtype
        ) { try read(entry.name) })
    }
    if !keepsAll {
      for part in inspection.otherParts {
        let count = inspection.tensors.count { $0.name.hasPrefix(part + ".") }
        conversion.left.append(
          (
            "\(part), \(count) \(count == 1 ? "tensor" : "tensors")",
            "not part of the model; --all keeps it"
          ))
      }
    }
    library = NameConversion.library(
      of: conversion.tensors.map(\.name), format: inspection.notes["format"])
  }

  /// Reads tensors by the names that an inspection lists.
  private static func reader(_ path: String) throws -> (String) throws -> Tensor {
    if try FileFormat.isONNX(path) {
      let weights = try ONNXInspection(contentsOf: path).weights
      let reads = Dictionary(weights.map { ($0.name, $0.read) }) { first, _ in first }
      return { name in
        guard let read = reads[name] else { throw DataError("\(path) has no tensor \(name)") }
        return try read()
      }
    }
    switch try FileFormat.detect(model: path) {
    case .npy, .idx, .png, .jpeg: return { _ in try Tensor(contentsOf: path) }
    case .npz:
      let file = try NPZ(contentsOf: path)
      return { try file.tensor(named: $0) }
    case .safetensors:
      let file = try SafeTensors(contentsOf: path)
      return { try file.tensor(named: $0) }
    case .pytorch:
      let file = try PyTorchFile(contentsOf: path)
      return { try file.tensor(named: $0) }
    }
  }

  /// Fits the tensors to what a format can hold.
  ///
  /// - Throws: `DataError` if it cannot hold them.
  mutating func prepare(for format: Format) throws {
    if format == .npy, conversion.tensors.count != 1 {
      throw DataError(
        "an .npy file holds one array, and there are \(conversion.tensors.count); "
          + "write .npz or .safetensors")
    }
    if format == .npz || format == .npy {
      for index in conversion.tensors.indices where conversion.tensors[index].dtype == .bfloat16 {
        let read = conversion.tensors[index].read
        conversion.tensors[index].dtype = .float32
        conversion.tensors[index].changes.append("as float32: NumPy has no bfloat16")
        conversion.tensors[index].read = { try read().cast(to: .float32) }
      }
    }
    for index in conversion.tensors.indices where conversion.tensors[index].name.isEmpty {
      conversion.tensors[index].name = "tensor"
    }
  }

  /// Writes all tensors, completely or not at all.
  func write(to path: String, _ format: Format, library: NameConversion.Library) throws {
    var state = StateDict()
    for tensor in conversion.tensors {
      let value = try tensor.read().evaluated()
      if value.shape != tensor.shape || value.dtype != tensor.dtype {
        throw DataError(
          "\(tensor.name) became \(value.dtype) \(value.shape) instead of \(tensor.dtype) "
            + "\(tensor.shape)")
      }
      state[tensor.name] = value
    }
    switch format {
    case .safetensors:
      let note = library == .pytorch ? "pt" : library.rawValue
      try SafeTensors.write(state, metadata: ["format": note], to: path)
    case .pt: try PyTorchFile.write(state, to: path)
    case .npz: try NPZ.write(state, to: path)
    case .npy: try state.first?.value.write(npy: path)
    }
  }
}
