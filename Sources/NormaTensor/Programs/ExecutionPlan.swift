/// How values were computed: in which passes over memory, by which path, and how many bytes moved.
///
///     print(((x - x.mean(over: 0)) / (x.std(over: 0) + eps)).explainPlan())
public struct ExecutionPlan: Sendable, Hashable {
  /// One pass over memory.
  public struct Step: Sendable, Hashable {
    /// The execution path.
    public let path: Path
    /// The operations, in order.
    public let operations: [String]
    /// The shape that was iterated over.
    public let shape: [Int]
    /// Bytes of the operands, each counted once; a broadcast operand counts with its size in
    /// memory.
    public let bytesRead: Int
    /// Bytes of the results.
    public let bytesWritten: Int
    /// Other properties.
    public let traits: Set<Trait>

    init(
      _ path: Path, _ operations: [String], over shape: [Int], reads: Int, writes: Int,
      _ traits: Set<Trait> = []
    ) {
      (self.path, self.operations, self.shape) = (path, operations, shape)
      (bytesRead, bytesWritten, self.traits) = (reads, writes, traits)
    }
  }

  /// An execution path.
  public enum Path: String, Sendable, Hashable, CaseIterable {
    /// Elementwise operations, tile by tile, all of them before the next tile.
    case program
    /// Elements are copied to another memory order.
    case copy
    /// Elementwise operations that end in reductions.
    case reduction
    /// Statistics and the operations that need them, slice by slice, so that memory is read once.
    case slices
    /// A reduction and what follows it, strip by strip, so that its results are not stored.
    case strips
    /// A single loop without a program: a step of Adam.
    case oneLoop = "one loop"
    /// A normalization, or its gradient, group by group.
    case groups
    /// The few operands of a normalization besides its input.
    case numbers
    /// The gradients of a normalization of rows.
    case rowGradient = "row gradient"
    /// A softmax, its gradient, or the logarithm of a sum of powers, row by row.
    case rowSoftmax = "row softmax"
    /// Attention, or its gradient, block by block.
    case attention
    /// The steps of a recurrent network, or their gradients, a few sequences at a time.
    case recurrence
    /// A matrix product.
    case product
    /// A convolution, or one of its gradients.
    case convolution
    /// Maxima of windows, and their indices.
    case pooling
    /// Weighted sums along an axis: mean pooling, interpolation, unfolding.
    case axisMap = "axis map"
    /// Gathering elements at given indices.
    case gather
    /// Scattering elements to given indices, or combining them with those there.
    case scatter
    /// Sorting rows, or selecting their first elements.
    case sort
    /// Searching for numbers in sorted rows, for extremes, or for true elements.
    case search
    /// Running sums, products and extremes.
    case scan
    /// Distances of vectors, or their gradients.
    case distances
    /// Counting occurrences.
    case counting
  }

  /// A property of a step.
  public enum Trait: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Its plan was made for this step; otherwise a cached one was used.
    case planned
    /// Several results are reduced side by side, in memory order.
    case interleaved
    /// The order of a sum does not matter, so whole tensors are reduced in memory order.
    case unordered
    /// Operations run row by row, with scalar operands or repeated rows.
    case byRow = "row by row"
    /// Results bypass the caches, which are too small for them.
    case streamed = "past the caches"
    /// The result was written over an operand that had no other owner.
    case inPlace = "in place"
    /// Following operations found the results in cache, a few images at a time.
    case inCache = "finished in cache"
    /// Weights were first packed into another memory order.
    case packed = "weights packed"
    /// Weights were read in a memory order that was kept from an earlier use.
    case prepacked = "packed weights"
    /// By oneDNN.
    case oneDNN
    /// By Winograd's algorithm; see ``withWinograd(_:_:)-(_,()->R)``.
    case winograd = "Winograd's algorithm"
    /// By Norma's own loops.
    case ownLoops = "own loops"
    /// Computed by matrix products.
    case byProducts = "by products"

    /// Ordered as declared here.
    public static func < (a: Trait, b: Trait) -> Bool {
      let all = Trait.allCases
      return (all.firstIndex(of: a) ?? 0) < (all.firstIndex(of: b) ?? 0)
    }
  }

  /// The passes, in order.
  public let steps: [Step]

  /// Bytes of all operands.
  public var bytesRead: Int { steps.reduce(0) { $0 + $1.bytesRead } }

  /// Bytes of all results.
  public var bytesWritten: Int { steps.reduce(0) { $0 + $1.bytesWritten } }
}

extension ExecutionPlan: CustomStringConvertible {
  /// A summary line, then one line for each pass.
  public var description: String {
    if steps.isEmpty { return "nothing to run: the values are stored" }
    let passes = steps.count == 1 ? "1 pass" : "\(steps.count) passes"
    let lines = steps.enumerated().map { "\($0 + 1). \($1)" }
    return
      ([
        "\(passes) over memory: \(byteText(bytesRead)) read, \(byteText(bytesWritten)) written"
      ] + lines).joined(separator: "\n")
  }
}

extension ExecutionPlan.Step: CustomStringConvertible {
  /// Path, operations, shape, bytes and traits.
  public var description: String {
    let traits = traits.sorted().map { ", \($0.rawValue)" }.joined()
    return "\(path.rawValue): \(operations.joined(separator: ", ")) over \(shape), "
      + "\(byteText(bytesRead)) read, \(byteText(bytesWritten)) written\(traits)"
  }
}

/// 1,500 as `1.5 KB`.
private func byteText(_ count: Int) -> String {
  var (value, unit) = (Double(count), 0)
  let units = ["B", "KB", "MB", "GB", "TB"]
  while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
  if unit == 0 || value >= 100 { return "\(Int(value.rounded())) \(units[unit])" }
  return "\((value * 10).rounded() / 10) \(units[unit])"
}

extension Tensor {
  /// Computes the pending values, and reports how: which operations ran together in one pass over
  /// memory, what was stored in between, and how many bytes moved.
  ///
  /// A plan describes an actual run, because it depends on what else needs the same values. A
  /// tensor whose values are stored has none. Cost: that of the values. PyTorch has no such call.
  public func explainPlan() -> ExecutionPlan {
    ExecutionPlan(steps: ExecutionLog.recording { _ = evaluated() }.steps)
  }
}
