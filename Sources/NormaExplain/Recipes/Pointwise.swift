import NormaTensor

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// A function of every value that was mistaken for a normalization, or compared with one.
enum Pointwise: String, Hashable, CaseIterable {
  case rectified = "max(x, 0)"
  case square = "x * x"
  case absolute = "abs(x)"
  case tanh = "tanh(x)"
  case sigmoid = "sigmoid(x)"
  case gelu = "gelu(x)"
  case silu = "x * sigmoid(x)"
  case range = "(x - min) / (max - min)"

  /// The value, and the error of a careful computation in roundings of size 1.
  func value(_ x: Double, _ limits: (least: Double, most: Double)) -> (value: Double, slack: Double)
  {
    switch self {
    case .rectified: return (max(x, 0), abs(x))
    case .square: return (x * x, 3 * x * x)
    case .absolute: return (abs(x), abs(x))
    case .tanh:
      let y = NormaExplain.tanh(x)
      return (y, abs(y) + abs(x) * (1 - y * y))
    case .sigmoid:
      let y = logistic(x)
      return (y, y + abs(x) * y * (1 - y))
    case .gelu:
      let y = 0.5 * x * (1 + erf(x * 0.5.squareRoot()))
      return (y, abs(y) + abs(x))
    case .silu:
      let y = logistic(x)
      return (x * y, abs(x) * y * (2 + abs(x) * (1 - y)))
    case .range:
      let width = limits.most - limits.least
      let size = abs(x) + abs(limits.least)
      return ((x - limits.least) / width, 3 * size / width)
    }
  }
}

private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

private func tanh(_ x: Double) -> Double {
  #if canImport(Glibc)
    Glibc.tanh(x)
  #else
    Darwin.tanh(x)
  #endif
}

extension Evidence {
  /// The function applied to every value of the input.
  func output(_ function: Pointwise, of input: Tensor) -> Tensor {
    let values = input.array(of: Double.self).map { function.value($0, limits).value }
    return Tensor(values, shape: input.shape)
  }
}
