/// How values were computed: in which trips over memory, by which path, and how many bytes moved.
///
///     print(((x - x.mean(over: 0)) / (x.std(over: 0) + eps)).explainPlan())
public struct ExecutionPlan: Sendable, Hashable {
  /// One trip over memory.
  public struct Step: Sendable, Hashable {
    /// The way of running.
    public let path: Path
    /// What was computed, in order.
    public let operations: [String]
    /// The shape that was gone through.
    public let shape: [Int]
    /// Bytes of the operands, each counted once; one that repeats counts as often as it lies in memory.
    public let bytesRead: Int
    /// Bytes of the results.
    public let bytesWritten: Int
    /// What else was special.
    public let traits: Set<Trait>

    init(
      _ path: Path, _ operations: [String], over shape: [Int], reads: Int, writes: Int,
      _ traits: Set<Trait> = []
    ) {
      (self.path, self.operations, self.shape) = (path, operations, shape)
      (bytesRead, bytesWritten, self.traits) = (reads, writes, traits)
    }
  }

  /// A way of running.
  public enum Path: String, Sendable, Hashable, CaseIterable {
    /// Elementwise operations, tile by tile, all of them before the next tile.
    case program
    /// Elements that go to another order of memory.
    case copy
    /// Elementwise operations that end in reductions.
    case reduction
    /// Statistics and what needs them, slice by slice, so that memory is read once.
    case slices
    /// A reduction and what follows, strip by strip, so that its results are not stored.
    case strips
    /// One loop without a program: a step of Adam.
    case oneLoop = "one loop"
    /// A normalization, or its gradient, group by group.
    case groups
    /// The few numbers that a normalization reads beside its input.
    case numbers
    /// The gradients of a normalization of rows.
    case rowGradient = "row gradient"
    /// A softmax, its gradient, or the logarithm of a sum of powers, row by row.
    case rowSoftmax = "row softmax"
    /// A product of matrices.
    case product
    /// A convolution, or one of its gradients.
    case convolution
    /// The largest elements of windows, and their places.
    case pooling
    /// Weighted sums along an axis: mean pooling, interpolation, unfolding.
    case axisMap = "axis map"
    /// Elements at given places.
    case gather
    /// Elements put to given places, or combined with what is there.
    case scatter
    /// Rows in order, all or the first of them.
    case sort
    /// Places of numbers in rows in order, of extremes, or of what is true.
    case search
    /// Running sums, products and extremes.
    case scan
    /// Distances of vectors, or their gradients.
    case distances
    /// How often numbers occur.
    case counting
  }

  /// What is special about a step.
  public enum Trait: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Its plan was made anew; otherwise one was kept from an earlier step.
    case planned
    /// Several results are reduced side by side, in the order of memory.
    case interleaved
    /// The order of a sum does not matter, so that whole tensors are reduced in the order of memory.
    case unordered
    /// Operations run row by row, with numbers or rows that repeat.
    case byRow = "row by row"
    /// Results go past the caches, which would not keep them.
    case streamed = "past the caches"
    /// The result was written over an operand that nobody else held.
    case inPlace = "in place"
    /// What follows found the results in cache, some images at a time.
    case inCache = "finished in cache"
    /// Weights were brought into another order of memory first.
    case packed = "weights packed"
    /// By oneDNN.
    case oneDNN
    /// By Norma's own loops.
    case ownLoops = "own loops"
    /// Put together from products.
    case byProducts = "by products"

    /// By their order here.
    public static func < (a: Trait, b: Trait) -> Bool {
      let all = Trait.allCases
      return (all.firstIndex(of: a) ?? 0) < (all.firstIndex(of: b) ?? 0)
    }
  }

  /// The trips, in order.
  public let steps: [Step]

  /// Bytes of all operands.
  public var bytesRead: Int { steps.reduce(0) { $0 + $1.bytesRead } }

  /// Bytes of all results.
  public var bytesWritten: Int { steps.reduce(0) { $0 + $1.bytesWritten } }
}

extension ExecutionPlan: CustomStringConvertible {
  /// One line for all, then one for each trip.
  public var description: String {
    if steps.isEmpty { return "nothing to run: the values are stored" }
    let trips = steps.count == 1 ? "1 trip" : "\(steps.count) trips"
    let lines = steps.enumerated().map { "\($0 + 1). \($1)" }
    return
      ([
        "\(trips) over memory: \(byteText(bytesRead)) read, \(byteText(bytesWritten)) written"
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
  /// Computes the values that are pending, and says how: which operations ran together in one trip over
  /// memory, what was stored between, and how many bytes moved.
  ///
  /// A plan is told as it ran, as it depends on what else waits for the same values. A tensor whose values
  /// are stored has none. Cost: that of the values. PyTorch has no such call.
  public func explainPlan() -> ExecutionPlan {
    ExecutionPlan(steps: ExecutionLog.recording { _ = evaluated() }.steps)
  }
}
