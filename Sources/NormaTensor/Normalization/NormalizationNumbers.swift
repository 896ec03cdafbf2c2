import CNormaLoops
import NormaValues

/// The operands of the normalizing instruction besides its input: y = ((x - high) - low) * scale +
/// shift.
///
/// The mean is two numbers of the computing type, so that data far from zero keep their digits.
struct NormalizationNumbers {
  let high: Tensor, low: Tensor
  let scale: Tensor, shift: Tensor

  /// Pending operands, for an input of this shape.
  init(
    mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?, of shape: [Int],
    in type: DType
  ) {
    let center = Center(mean, in: type)
    (high, low) = (center.high, center.low)
    let inverse = (variance.cast(to: .float64) + eps).rsqrt()
    if let weight = weight?.detached() {
      scale =
        weight.isConstant(along: mean)
        ? (inverse * weight.cast(to: .float64)).cast(to: type)
        : inverse.cast(to: type).weighted(by: weight, shape)
    } else {
      scale = inverse.cast(to: type)
    }
    shift = bias?.detached().cast(to: type) ?? Center.zeros(mean.shape, type)
  }

  /// The same operands computed eagerly, if mean and variance are stored. Nil otherwise, in a
  /// recorded call, and for a weight that is constant within each statistic in another layout.
  init?(
    stored mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?,
    of shape: [Int]
  ) {
    let (weight, bias) = (weight?.detached(), bias?.detached())
    func own(_ parameter: Tensor?) -> Tensor? {
      guard let parameter, parameter.dtype == .float32, mean.layout.isContiguous,
        parameter.layout.shape == mean.layout.shape, !parameter.isPoisoned
      else { return nil }
      return parameter.contiguous()
    }
    let (first, second) = (own(weight), own(bias))
    if let weight, first == nil, weight.isConstant(along: mean) { return nil }
    guard !mean.isPending, !variance.isPending, variance.shape == mean.shape,
      variance.strides == mean.strides, !KernelRecorder.isOpen
    else { return nil }
    let (mean, variance) = (mean.cast(to: .float64), variance.cast(to: .float64))
    Tensor.evaluate([mean, variance])
    guard let means = mean.storedDoubles, let variances = variance.storedDoubles else { return nil }
    let count = mean.count
    guard let floats = Tensor.Pack(count: count, of: 4, dtype: .float32) else { return nil }
    ExecutionLog.add(
      ExecutionPlan.Step(
        .numbers, ["center", "scale", "shift"], over: mean.shape,
        reads: count * 16 + (first?.touchedBytes ?? 0) + (second?.touchedBytes ?? 0),
        writes: count * 16))
    let storages = (first?.node.materialize(), second?.node.materialize())
    withExtendedLifetime((mean, variance, storages)) {
      func base(_ tensor: Tensor?, _ storage: Storage?) -> UnsafePointer<Float>? {
        guard let tensor, let storage else { return nil }
        return UnsafePointer(
          storage.base.assumingMemoryBound(to: Float.self) + tensor.layout.offset)
      }
      let out = floats.storage.base.assumingMemoryBound(to: Float.self)
      norma_normalization_numbers(
        Int64(count), means, variances, eps, base(first, storages.0), base(second, storages.1),
        out, out + count, out + 2 * count, out + 3 * count)
    }
    let tensors = floats.tensors(like: mean.layout)
    (high, low) = (tensors[0], tensors[1])
    scale =
      first == nil ? weight.map { tensors[2].weighted(by: $0, shape) } ?? tensors[2] : tensors[2]
    shift = second == nil ? bias?.cast(to: .float32) ?? tensors[3] : tensors[3]
  }
}

extension Tensor {
  /// This scale times a weight that varies along the reduced axes: pending in the input's shape, so
  /// that it is multiplied within the pass over the input and not stored.
  fileprivate func weighted(by weight: Tensor, _ shape: [Int]) -> Tensor {
    self * weight.cast(to: dtype).broadcast(to: shape)
  }

  /// Memory for several small tensors with the same layout.
  struct Pack {
    let storage: Storage
    private let count: Int, parts: Int
    private let dtype: DType

    /// Nil, with a mistake recorded in the scope, if the system has no memory for them.
    init?(count: Int, of parts: Int, dtype: DType) {
      (self.count, self.parts, self.dtype) = (count, parts, dtype)
      let byteCount = count * parts * dtype.byteCount
      guard let storage = Storage.scratchOrReport(byteCount: byteCount, of: [parts, count]) else {
        return nil
      }
      self.storage = storage
    }

    /// The tensors, once their elements have been written one after the other.
    func tensors(like layout: Layout) -> [Tensor] {
      let node = Node(
        stored: storage, dtype: dtype, layout: Layout(contiguous: [count * parts]))
      return (0..<parts).map { part in
        Tensor(
          node: node,
          layout: Layout(shape: layout.shape, strides: layout.strides, offset: part * count))
      }
    }
  }

  /// The elements of a stored dense `float64` tensor, in memory order.
  fileprivate var storedDoubles: UnsafePointer<Double>? {
    guard dtype == .float64, layout.isDense, let storage = node.storage else { return nil }
    return UnsafePointer(storage.base.assumingMemoryBound(to: Double.self) + layout.offset)
  }

  /// (1 - share) * self + share * target / divisor, in `float64`, rounded once to this tensor's
  /// type. Computed eagerly if both are stored, pending otherwise.
  package func following(_ target: Tensor, _ share: Double, divisor: Double = 1) -> Tensor {
    if dtype == .float32, layout.isContiguous, target.layout.isContiguous, count == target.count,
      !isPoisoned, !isPending, let goals = target.storedDoubles
    {
      return withExtendedLifetime(target) {
        Tensor(shape: shape, dtype: .float32) { result in
          withUnsafeBuffer(of: Float.self) { old in
            guard let old = old.baseAddress, let result = result.baseAddress else { return }
            norma_follow(
              Int64(count), old, goals, divisor, share, result.assumingMemoryBound(to: Float.self))
          }
        }
      }
    }
    let old = reshaped(target.shape).cast(to: .float64)
    return (old * (1 - share) + target / divisor * share).cast(to: dtype).reshaped(shape)
  }
}
