import ArgumentParser
import Foundation
import Norma
import NormaONNX

/// The samples of `norma doctor model.onnx --data`: a file or a folder of files, as one batch.
struct ModelData {
  /// The model's inputs by name.
  let inputs: [String: Tensor]
  let samples: Int
  /// What was read, in words.
  let words: String

  /// How pictures are prepared: values from 0 to 1, minus the mean, divided by the deviation.
  struct Preparation {
    var mean: [Double] = []
    var deviation: [Double] = []
  }

  /// - Parameters:
  ///   - others: tensors for further inputs.
  ///   - count: the largest number of samples; nil for all.
  init(
    _ path: String, for model: ONNXModel, others: [(name: String, path: String)], count: Int?,
    preparation: Preparation
  ) throws {
    var inputs = try ModelInputs.read(others, for: model)
    let open = model.inputs.filter { inputs[$0.name] == nil }
    guard let input = open.first, open.count == 1 else {
      let names = model.inputs.map { quoted($0.name) }.joined(separator: ", ")
      throw ValidationError(
        "--data is for one input, and the model has \(names); pass the others as --input name=file"
      )
    }
    let rank = input.shape.flatMap { $0.isEmpty ? nil : $0.count }
    var (pictures, parts, shape) = (0, [Tensor](), [Int]())
    for file in try Self.files(path).prefix(count ?? .max) {
      let isPicture = try [.png, .jpeg].contains(FileFormat.detect(file))
      let tensor =
        try isPicture
        ? Self.picture(file, for: input, preparation)
        : ModelInputs.fitted(Tensor(contentsOf: file), to: input)
      pictures += isPicture ? 1 : 0
      let batch = tensor.rank == rank.map { $0 - 1 } ? tensor.unsqueezed(0) : tensor
      if parts.isEmpty { shape = Array(batch.shape.dropFirst()) }
      guard batch.rank > 0, Array(batch.shape.dropFirst()) == shape else {
        throw DataError(
          "\(file): the samples have shape \(batch.shape.dropFirst()), and those before it "
            + "\(shape); make them equal first")
      }
      parts.append(batch)
    }
    if parts.isEmpty { throw DataError("\(path): there is no file in this folder") }
    let all = parts.count == 1 ? parts[0] : Tensor.concatenated(parts, over: 0)
    let batch = count.map { all[0..<Swift.min($0, all.shape[0])] } ?? all
    inputs[input.name] = batch
    self.inputs = inputs
    samples = batch.shape[0]
    let range = batch.count == 0 ? "" : ", values from \(batch.min()) to \(batch.max())"
    let prepared = pictures == 1 ? "a picture" : "\(pictures) pictures"
    words =
      "\(quoted(input.name)) \(batch.dtype)\(batch.shape)\(range)"
      + (pictures == 0 ? "" : "; \(prepared) as values from 0 to 1\(preparation.words)")
  }

  private static func files(_ path: String) throws -> [String] {
    var isFolder = ObjCBool(false)
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { return [path] }
    return try FileManager.default.contentsOfDirectory(atPath: path)
      .filter { !$0.hasPrefix(".") }.sorted().map { "\(path)/\($0)" }
  }

  /// `[1, channels, height, width]`, with the model's number of channels.
  private static func picture(
    _ path: String, for input: ONNXValue, _ preparation: Preparation
  ) throws -> Tensor {
    var channels: Int?
    if let shape = input.shape, shape.count == 4, case .fixed(let count) = shape[1],
      (1...4).contains(count)
    {
      channels = count
    }
    let bytes = try Tensor(image: path, channels: channels)
    var values = bytes.cast(to: input.dtype ?? .float32) / 255
    for (numbers, name) in [(preparation.mean, "mean"), (preparation.deviation, "std")] {
      guard [0, 1, bytes.shape[0]].contains(numbers.count) else {
        throw ValidationError(
          "--\(name) has \(numbers.count) numbers, and \(path) has \(bytes.shape[0]) channels")
      }
    }
    func perChannel(_ numbers: [Double]) -> Tensor {
      Tensor(numbers, shape: [numbers.count, 1, 1]).cast(to: values.dtype)
    }
    if !preparation.mean.isEmpty { values = values - perChannel(preparation.mean) }
    if !preparation.deviation.isEmpty { values = values / perChannel(preparation.deviation) }
    return values.unsqueezed(0)
  }
}

extension ModelData.Preparation {
  /// `, minus 0.5, divided by 0.5`
  var words: String {
    func list(_ numbers: [Double]) -> String { numbers.map { "\($0)" }.joined(separator: ", ") }
    return (mean.isEmpty ? "" : ", minus \(list(mean))")
      + (deviation.isEmpty ? "" : ", divided by \(list(deviation))")
  }
}
