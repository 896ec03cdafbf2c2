import NormaNN
import NormaTensor

/// Gradients that travel together, in the order in which a backward pass usually reaches them.
struct GradientBucket {
  /// One parameter's gradient inside the bucket.
  struct Slot {
    let parameter: Int
    let shape: [Int]
    let start: Int
    let count: Int
  }

  let dtype: DType
  private(set) var slots: [Slot] = []
  private(set) var count = 0

  /// Half types travel in `float32`, in which they are added.
  var carrier: DType { dtype == .float64 ? .float64 : .float32 }

  private mutating func add(_ parameter: Int, _ shape: [Int]) {
    let size = shape.reduce(1, *)
    slots.append(Slot(parameter: parameter, shape: shape, start: count, count: size))
    count += size
  }

  /// Buckets of at most `bytes` bytes, or of one parameter. The last parameters come first. The
  /// first bucket is small, so that the transport begins early.
  static func buckets(
    of parameters: [Parameter], _ indices: [Int], bytes: Int
  ) -> [GradientBucket] {
    var buckets: [GradientBucket] = []
    for index in indices.reversed() {
      let parameter = parameters[index]
      let limit = buckets.count <= 1 ? min(bytes, 1 << 20) : bytes
      let size = parameter.shape.reduce(parameter.dtype.byteCount, *)
      if let last = buckets.last, last.dtype == parameter.dtype,
        last.count * last.dtype.byteCount + size <= limit
      {
        buckets[buckets.count - 1].add(index, parameter.shape)
      } else {
        var new = GradientBucket(dtype: parameter.dtype)
        new.add(index, parameter.shape)
        buckets.append(new)
      }
    }
    return buckets
  }

  private init(dtype: DType) { self.dtype = dtype }

  /// One tensor of all gradients times `factor`, zeros for those that are missing; then whether
  /// each is there, and the number of samples.
  func packed(_ gradients: [Int: Tensor], factor: Double, samples: Double) -> Tensor {
    var parts: [Tensor] = []
    var flags: [Double] = []
    for slot in slots {
      flags.append(gradients[slot.parameter] == nil ? 0 : 1)
      // Without samples a gradient may be NaN, and must not count.
      if let gradient = gradients[slot.parameter], samples > 0 {
        let flat = gradient.detached().reshaped(slot.count).cast(to: carrier)
        parts.append(factor == 1 ? flat : flat * factor)
      } else {
        parts.append(.zeros(slot.count, dtype: carrier))
      }
    }
    return .concatenated(parts + [Tensor(flags + [samples], dtype: carrier)]).evaluated()
  }

  /// The gradients in a sum of packed ones, each times `passes` over the number of samples; nil
  /// for those that no process has.
  func unpacked(_ sum: Tensor, passes: Int) -> [Tensor?] {
    let tail = sum.narrowed(over: 0, from: count, count: slots.count + 1).array(of: Double.self)
    let samples = tail[slots.count]
    let scale = samples > 0 ? Double(passes) / samples : 0
    let all = (sum.narrowed(over: 0, from: 0, count: count) * scale).cast(to: dtype).evaluated()
    return zip(slots, tail).map { slot, users in
      users == 0
        ? nil
        : all.narrowed(over: 0, from: slot.start, count: slot.count).reshaped(slot.shape)
    }
  }
}
