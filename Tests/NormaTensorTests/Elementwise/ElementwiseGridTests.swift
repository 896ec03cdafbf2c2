import NormaReference
import NormaTensor
import Testing

/// Every operation, type and pair of operand layouts against the definition in Double.
@Suite struct ElementwiseGridTests {
  /// An operation of two operands, on tensors and by definition.
  enum Binary: CaseIterable, Sendable {
    case add, subtract, multiply, divide, minimum, maximum
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    var isComparison: Bool {
      switch self {
      case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: true
      default: false
      }
    }

    func of(_ a: Tensor, _ b: Tensor) -> Tensor {
      switch self {
      case .add: a + b
      case .subtract: a - b
      case .multiply: a * b
      case .divide: a / b
      case .minimum: NormaTensor.minimum(a, b)
      case .maximum: NormaTensor.maximum(a, b)
      case .equal: a .== b
      case .notEqual: a .!= b
      case .less: a .< b
      case .lessOrEqual: a .<= b
      case .greater: a .> b
      case .greaterOrEqual: a .>= b
      }
    }

    func of<T: TensorElement>(_ a: Tensor, _ b: T) -> Tensor {
      switch self {
      case .add: a + b
      case .subtract: a - b
      case .multiply: a * b
      case .divide: a / b
      case .minimum: a.clamped(max: b)
      case .maximum: a.clamped(min: b)
      case .equal: a .== b
      case .notEqual: a .!= b
      case .less: a .< b
      case .lessOrEqual: a .<= b
      case .greater: a .> b
      case .greaterOrEqual: a .>= b
      }
    }

    func of<T: TensorElement>(_ a: T, _ b: Tensor) -> Tensor {
      switch self {
      case .add: a + b
      case .subtract: a - b
      case .multiply: a * b
      case .divide: a / b
      case .minimum: b.clamped(max: a)
      case .maximum: b.clamped(min: a)
      case .equal: a .== b
      case .notEqual: a .!= b
      case .less: a .< b
      case .lessOrEqual: a .<= b
      case .greater: a .> b
      case .greaterOrEqual: a .>= b
      }
    }

    /// One rounding of the exact result; a sum of Booleans is their union.
    func of(_ a: Double, _ b: Double, _ dtype: DType) -> Double {
      switch self {
      case .add: dtype == .bool ? max(a, b) : dtype.rounded(a + b)
      case .subtract: dtype.rounded(a - b)
      case .multiply: dtype.rounded(a * b)
      case .divide: (dtype.isFloatingPoint ? dtype : .float32).rounded(a / b)
      case .minimum: min(a, b)
      case .maximum: max(a, b)
      case .equal: a == b ? 1 : 0
      case .notEqual: a != b ? 1 : 0
      case .less: a < b ? 1 : 0
      case .lessOrEqual: a <= b ? 1 : 0
      case .greater: a > b ? 1 : 0
      case .greaterOrEqual: a >= b ? 1 : 0
      }
    }
  }

  static func expectEqual(
    _ actual: Tensor, _ expected: [Double], _ comment: @autoclosure () -> String,
    location: SourceLocation = #_sourceLocation
  ) {
    let values = actual.array(of: Double.self)
    if values == expected { return }
    for (k, (value, truth)) in zip(values, expected).enumerated()
    where value != truth && !(value.isNaN && truth.isNaN) {
      Issue.record(
        "\(comment()): element \(k) is \(value), not \(truth)", sourceLocation: location)
      return
    }
    if values.count != expected.count {
      Issue.record("\(comment()): \(values.count) values", sourceLocation: location)
    }
  }

  @Test(arguments: DType.allCases)
  func everyPairOfArrangements(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let shape = [2, 3, 3, 5]
    let samples = Arrangement.allCases.map { Sample(shape, dtype, $0, random: &random) }
    for operation in Binary.allCases where dtype != .bool || operation != .subtract {
      for a in samples {
        for b in samples {
          let expected = zip(a.values, b.values).map { operation.of($0, $1, dtype) }
          Self.expectEqual(operation.of(a.tensor, b.tensor), expected, "\(operation) \(dtype)")
        }
      }
    }
  }

  /// Rows, columns, single elements and scalars on either side, and sizes around the lengths of
  /// lanes and tiles.
  @Test(arguments: DType.allCases)
  func broadcasts(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[3, 5], [33, 65], [2, 1793]] {
      let whole = Sample(shape, dtype, random: &random)
      let turned = Sample(shape, dtype, .reversed, random: &random)
      for small in [[1, shape[1]], [shape[1]], [shape[0], 1], [1, 1], []] {
        let part = Sample(small, dtype, random: &random)
        let stretched = Array(part.tensor.broadcast(to: shape).array(of: Double.self))
        for operation in [Binary.add, .multiply, .divide, .maximum, .less, .equal] {
          for x in [whole, turned] {
            Self.expectEqual(
              operation.of(x.tensor, part.tensor),
              zip(x.values, stretched).map { operation.of($0, $1, dtype) },
              "\(operation) \(shape) \(small) \(dtype)")
            Self.expectEqual(
              operation.of(part.tensor, x.tensor),
              zip(stretched, x.values).map { operation.of($0, $1, dtype) },
              "\(operation) \(small) \(shape) \(dtype)")
          }
        }
      }
    }
  }

  @Test(arguments: DType.allCases)
  func numbersOnEitherSide(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let x = Sample([3, 67], dtype, .reversed, random: &random)
    for operation in Binary.allCases where dtype != .bool || operation.isComparison {
      for (right, left) in [(operation.of(x.tensor, 3), operation.of(3, x.tensor))] {
        let type: DType = dtype == .bool ? .int64 : dtype
        Self.expectEqual(right, x.values.map { operation.of($0, 3, type) }, "\(operation) \(dtype)")
        Self.expectEqual(left, x.values.map { operation.of(3, $0, type) }, "\(operation) \(dtype)")
      }
    }
    let real: DType = dtype.isFloatingPoint ? dtype : .float32
    Self.expectEqual(x.tensor * 0.5, x.values.map { real.rounded($0 * 0.5) }, "\(dtype)")
    Self.expectEqual(1.5 - x.tensor, x.values.map { real.rounded(1.5 - $0) }, "\(dtype)")
  }

  @Test(arguments: DType.allCases)
  func functionsOfOneElement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let real: DType = dtype.isFloatingPoint ? dtype : .float32
    // Half types are rounded once, after all steps.
    let steps: DType = real == .float64 ? .float64 : .float32
    for arrangement in Arrangement.allCases {
      let x = Sample([3, 5, 37], dtype, arrangement, random: &random)
      let name = "\(dtype) \(arrangement)"
      Self.expectEqual(
        x.tensor.abs(), x.values.map { dtype.rounded(abs($0)) }, "abs \(name)")
      Self.expectEqual(
        x.tensor.squared(), x.values.map { dtype.rounded($0 * $0) }, "squared \(name)")
      Self.expectEqual(
        x.tensor.sqrt(), x.values.map { real.rounded($0.squareRoot()) }, "sqrt \(name)")
      Self.expectEqual(
        x.tensor.reciprocal(), x.values.map { real.rounded(1 / $0) }, "reciprocal \(name)")
      Self.expectEqual(
        x.tensor.rsqrt(),
        x.values.map { real.rounded(steps.rounded(1 / steps.rounded($0.squareRoot()))) },
        "rsqrt \(name)")
      if dtype != .bool {
        Self.expectEqual(-x.tensor, x.values.map { dtype.rounded(-$0) }, "negated \(name)")
      }
    }
  }

  @Test(arguments: DType.allCases)
  func choice(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let shape = [2, 3, 5, 7]
    for arrangement in Arrangement.allCases {
      let condition = Sample(shape, .bool, arrangement, random: &random)
      let a = Sample(shape, dtype, random: &random)
      let b = Sample(shape, dtype, .reversed, random: &random)
      let expected = condition.values.indices.map {
        condition.values[$0] != 0 ? a.values[$0] : b.values[$0]
      }
      let name = "\(dtype) \(arrangement)"
      Self.expectEqual(Tensor.where(condition.tensor, a.tensor, b.tensor), expected, name)
      let one = Tensor(1, dtype: dtype)
      let ones = condition.values.indices.map { condition.values[$0] != 0 ? a.values[$0] : 1 }
      Self.expectEqual(Tensor.where(condition.tensor, a.tensor, one), ones, name)
      Self.expectEqual(Tensor.where(condition.tensor, a.tensor, true), ones, name)
      let zeros = condition.values.indices.map { condition.values[$0] != 0 ? 0 : b.values[$0] }
      Self.expectEqual(Tensor.where(condition.tensor, false, b.tensor), zeros, name)
      // A single condition for all.
      Self.expectEqual(Tensor.where(Tensor(true), a.tensor, b.tensor), a.values, name)
      Self.expectEqual(Tensor.where(Tensor(false), a.tensor, one), a.values.map { _ in 1 }, name)
    }
  }
}
