import NormaReference
import NormaTensor

/// A random elementwise program, run twice: once with everything pending, and once evaluated after
/// every instruction.
struct RandomProgram {
  /// The values so far: pending, and evaluated one by one.
  private(set) var values: [(fused: Tensor, cut: Tensor)] = []
  private(set) var text: [String] = []
  private let shape: [Int]

  /// Some inputs of a shape, or of shapes that broadcast to it.
  init(_ shape: [Int], _ random: inout TestRandom, inputs: Int = 3) {
    self.shape = shape
    for index in 0..<inputs {
      let dtype = Self.type(&random)
      let arrangements: [Arrangement] = [
        .contiguous, .channelsLast, .reversed, .stepped, .offset, .repeated,
      ]
      let arrangement = arrangements[Int(random.next() % 6)]
      var size = shape
      // The first input has all axes.
      if index > 0 {
        for axis in size.indices where random.next() % 4 == 0 { size[axis] = 1 }
        if random.next() % 4 == 0 {
          size.removeFirst(Int(random.next() & 1) * Swift.min(size.count, 1))
        }
      }
      let input = Sample(size, dtype, arrangement, random: &random).tensor
      values.append((input, input))
      text.append("%\(index) = \(dtype) \(size) \(arrangement)")
    }
  }

  private static func type(_ random: inout TestRandom) -> DType {
    DType.allCases[Int(random.next() % UInt64(DType.allCases.count))]
  }

  /// Adds a random instruction on earlier values, mostly recent ones.
  ///
  /// With `reductions` some of them are statistics of earlier values, which others broadcast again.
  mutating func extend(_ random: inout TestRandom, reductions: Bool = false) {
    let a = pick(&random)
    let (b, c) = (pick(&random, beside: a), pick(&random, beside: a))
    let code = Int(random.next() % (reductions ? 30 : 20))
    let axisBits = random.next()
    let number = Double(Int(random.next() % 17)) / 4 - 2
    let dtype = Self.type(&random)
    let (x, y, z) = (values[a], values[b], values[c])
    text.append("%\(values.count) = \(code) of %\(a) %\(b) %\(c) \(number) \(dtype)")
    if code >= 20 {
      let axes = x.fused.shape.indices.filter { axisBits >> $0 & 1 == 1 }
      text.append("  over \(axes)")
      values.append(
        (
          Self.statistic(code - 20, x.fused, axes) { $0 },
          Self.statistic(code - 20, x.cut, axes) { $0.evaluated() }.evaluated()
        ))
      return
    }
    let fused = Self.instruction(code, x.fused, y.fused, z.fused, number, dtype)
    let cut = Self.instruction(code, x.cut, y.cut, z.cut, number, dtype).evaluated()
    values.append((fused, cut))
  }

  private static func statistic(
    _ code: Int, _ x: Tensor, _ axes: [Int], _ end: (Tensor) -> Tensor
  ) -> Tensor {
    let real = x.dtype.isFloatingPoint ? x : end(x.cast(to: .float32))
    switch code {
    case 0: return real.mean(over: axes, keepDims: true)
    case 1: return x.max(over: axes, keepDims: true)
    case 2: return real.std(over: axes, keepDims: true)
    case 3: return x.sum(over: axes)
    case 4: return end(real.mean(over: axes, keepDims: true)).cast(to: .float64)
    case 5: return real - end(real.mean(over: axes, keepDims: true))
    case 6: return real / end(real.std(over: axes, correction: 0, keepDims: true) + 0.5)
    case 7:
      let centred = end(real - end(real.mean(over: axes, keepDims: true)))
      return centred * end(real.variance(over: axes, keepDims: true).rsqrt())
    case 8:
      let mean = end(real.mean(over: axes))
      return mean.rank == 2 ? end(mean.transposed() * 2).transposed() : mean
    default:
      return end(real - end(real.min(over: axes, keepDims: true))).sum(over: axes, keepDims: true)
    }
  }

  private func pick(_ random: inout TestRandom, beside first: Int? = nil) -> Int {
    let choice =
      random.next() % 3 == 0
      ? Int(random.next() % UInt64(values.count))
      : Swift.max(values.count - 1 - Int(random.next() % 2), 0)
    guard let first else { return choice }
    // A statistic without its axes fits only some shapes; the program's shape determines three.
    let shapes = [first, choice].map { values[$0].fused.shape }
    let fits = shapes.allSatisfy { own in
      own.count <= shape.count
        && zip(own.reversed(), shape.reversed()).allSatisfy { $0 == 1 || $0 == $1 }
    }
    return fits ? choice : first
  }

  private static func instruction(
    _ code: Int, _ first: Tensor, _ second: Tensor, _ third: Tensor, _ number: Double,
    _ dtype: DType
  ) -> Tensor {
    let x = first.withAxes
    let (y, z) = (second.withAxes.meeting(x), third.withAxes.meeting(x))
    let isTruth = x.dtype == .bool && y.dtype == .bool
    switch code {
    case 0: return x + y
    case 1: return isTruth ? x .!= y : x - y
    case 2: return x * y
    case 3: return x / y
    case 4: return maximum(x, y)
    case 5: return minimum(x, y)
    case 6: return x.abs().sqrt()
    case 7: return x.dtype == .bool ? x .== y : -x
    case 8: return Tensor.where(x .< y, z, x)
    case 9: return x.cast(to: dtype)
    case 10: return x.clamped(min: -1.5, max: number)
    case 11: return number - x
    case 12: return Tensor.where(x .>= number, y, number)
    case 13: return x * number + y
    case 14: return x.atan()
    case 15: return copysign(x, y)
    case 16: return pow(x.abs(), 1.25)
    case 17: return fmod(x, 2.5)
    case 18: return logicalXor(x, y)
    default: return x.sign() * y
    }
  }
}

extension Tensor {
  /// With an axis, if it is a single integer, which a narrow type might not be able to hold.
  fileprivate var withAxes: Tensor { rank == 0 && dtype.isInteger ? reshaped([1]) : self }

  /// The same elements in a type that has a common type with another tensor.
  fileprivate func meeting(_ other: Tensor) -> Tensor {
    let areWhole = !dtype.isFloatingPoint && !other.dtype.isFloatingPoint
    let isMixed = areWhole && DType.promoted(dtype, other.dtype).isFloatingPoint
    return isMixed ? cast(to: other.dtype) : self
  }

  /// Some view of the same elements, of another shape or order.
  func viewed(_ number: UInt64) -> Tensor {
    switch number % 5 {
    case 0: permuted(Array(shape.indices.reversed()))
    case 1: reshaped(-1)
    case 2: rank > 0 && shape[0] > 1 ? self[1...] : self
    case 3: taking([Ellipsis(), AxisSlice(by: 2)])
    default: unsqueezed(0).broadcast(to: [2] + shape)
    }
  }
}
