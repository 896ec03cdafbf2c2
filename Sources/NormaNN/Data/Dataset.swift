import NormaTensor

/// Samples by index, for ``DataLoader``.
///
/// PyTorch: `torch.utils.data.Dataset` (map style).
public protocol Dataset: Sendable {
  /// The number of samples.
  var count: Int { get }

  /// The samples at these indices, stacked along a new first axis: one tensor for each part of a
  /// sample, such as images and labels.
  ///
  /// - Throws: an error if a sample cannot be read; the loader passes it on.
  func batch(_ indices: [Int]) throws -> [Tensor]
}

/// Tensors whose first axis is the sample index. PyTorch: `TensorDataset`.
public struct TensorDataset: Dataset {
  /// The tensors.
  public let tensors: [Tensor]

  /// Tensors whose first axes have the same size.
  public init(_ tensors: Tensor..., file: StaticString = #fileID, line: UInt = #line) {
    self.tensors = tensors.map { $0.detached().evaluated() }
    let counts = Set(tensors.map { $0.shape.first ?? -1 })
    if counts.count != 1 || counts.contains(-1) {
      report(
        TensorError(
          "TensorDataset(_:)", "first axes differ: \(tensors.map(\.shape))"),
        file: file, line: line)
    }
  }

  /// The size of the first axes.
  public var count: Int { tensors.first?.shape.first ?? 0 }

  /// Rows of every tensor.
  public func batch(_ indices: [Int]) -> [Tensor] { tensors.map { $0.picked(0, indices) } }
}

/// Some samples of a dataset, in a given order. PyTorch: `Subset`.
public struct Subset<Base: Dataset>: Dataset {
  private let base: Base
  /// The indices of the samples in the whole dataset.
  public let indices: [Int]

  /// The samples of `base` at `indices`; an index out of range is an error.
  public init(
    _ base: Base, _ indices: [Int], file: StaticString = #fileID, line: UInt = #line
  ) {
    if let wrong = indices.first(where: { !(0..<base.count).contains($0) }) {
      report(
        TensorError(
          "Subset(_:_:)",
          "sample \(wrong) is out of range for \(base.count) samples; valid are 0 ..< \(base.count)"
        ),
        file: file, line: line)
    }
    self.base = base
    self.indices = indices
  }

  /// The number of samples.
  public var count: Int { indices.count }

  /// The samples at these indices of the subset.
  /// - Throws: a `TensorError` for an index out of range, and whatever the whole dataset throws.
  public func batch(_ indices: [Int]) throws -> [Tensor] {
    if let wrong = indices.first(where: { !self.indices.indices.contains($0) }) {
      throw TensorError(
        "Subset.batch(_:)",
        "sample \(wrong) is out of range for \(count) samples; valid are 0 ..< \(count)")
    }
    return try base.batch(indices.map { self.indices[$0] })
  }
}

/// A dataset whose batches are passed through a function. PyTorch: `transform`, for batches.
public struct MappedDataset<Base: Dataset>: Dataset {
  private let base: Base
  private let transform: @Sendable ([Tensor]) throws -> [Tensor]

  init(_ base: Base, _ transform: @escaping @Sendable ([Tensor]) throws -> [Tensor]) {
    self.base = base
    self.transform = transform
  }

  /// The number of samples.
  public var count: Int { base.count }

  /// The transformed batch.
  public func batch(_ indices: [Int]) throws -> [Tensor] { try transform(base.batch(indices)) }
}

extension Dataset {
  /// The same samples, with `transform` applied to each batch; random draws inside it come from a
  /// generator that belongs to the batch.
  public func mapped(
    _ transform: @escaping @Sendable ([Tensor]) throws -> [Tensor]
  ) -> MappedDataset<Self> { MappedDataset(self, transform) }

  /// Parts of these sizes, drawn without replacement from the default generator.
  ///
  /// The same parts as PyTorch's `random_split` with the same seed. The sizes must add up to the
  /// number of samples.
  public func randomSplit(
    _ counts: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> [Subset<Self>] {
    let total = count
    guard counts.allSatisfy({ 0...total ~= $0 }),
      counts.reduce(0.0, { $0 + Double($1) }) == Double(total)
    else {
      report(
        TensorError(
          "randomSplit(_:)", "\(counts) do not add up to the \(count) samples of the dataset"),
        file: file, line: line)
      return counts.map { _ in Subset(self, []) }
    }
    var rest = Tensor.randperm(count).array(of: Int64.self).map(Int.init)[...]
    return counts.map { size in
      defer { rest = rest.dropFirst(size) }
      return Subset(self, Array(rest.prefix(size)))
    }
  }

  /// Parts with these fractions of the samples, drawn without replacement from the default
  /// generator.
  ///
  ///     let parts = data.randomSplit(fractions: [0.8, 0.1, 0.1])
  ///
  /// Sizes are rounded down, and the remaining samples go to the first parts, one each: the same
  /// parts as PyTorch's `random_split(data, fractions)` with the same seed. The fractions must add
  /// up to 1.
  public func randomSplit(
    fractions: [Double], file: StaticString = #fileID, line: UInt = #line
  ) -> [Subset<Self>] {
    let sum = fractions.reduce(0, +)
    guard fractions.allSatisfy({ 0...1 ~= $0 }), abs(sum - 1) <= 1e-9 else {
      report(
        TensorError(
          "randomSplit(fractions:)",
          "fractions in 0 ... 1 that add up to 1 are needed, got \(fractions), which add up to "
            + "\(sum)"
        ),
        file: file, line: line)
      return fractions.map { _ in Subset(self, []) }
    }
    var counts = fractions.map { Int((Double(count) * $0).rounded(.down)) }
    for place in 0..<max(count - counts.reduce(0, +), 0) { counts[place % counts.count] += 1 }
    return randomSplit(counts, file: file, line: line)
  }
}
