import NormaReference
import NormaTensor

/// The definition of an einsum: a loop over the values of all subscripts, in `Double`.
///
/// Only letters and an arrow; sizes of 1 broadcast.
func slowEinsum(_ equation: String, _ operands: [(values: [Double], shape: [Int])]) -> [Double] {
  let sides = equation.filter { $0 != " " }.split(separator: "-", omittingEmptySubsequences: false)
  let inputs = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(Array.init)
  let output = Array(sides[1].dropFirst())
  var sizes: [Character: Int] = [:]
  for (labels, operand) in zip(inputs, operands) {
    for (label, size) in zip(labels, operand.shape) where sizes[label, default: 1] == 1 {
      sizes[label] = size
    }
  }
  let all = output + Set(inputs.joined()).subtracting(output).sorted()
  let shape = all.map { sizes[$0] ?? 1 }
  var result = [Double](
    repeating: 0, count: output.reduce(1) { $0 * (sizes[$1] ?? 1) })
  let inner = all.dropFirst(output.count).reduce(1) { $0 * (sizes[$1] ?? 1) }
  for number in 0..<shape.reduce(1, *) {
    var rest = number
    var index: [Character: Int] = [:]
    for (label, size) in zip(all, shape).reversed() {
      index[label] = rest % size
      rest /= size
    }
    var product = 1.0
    for (labels, operand) in zip(inputs, operands) {
      var place = 0
      for (label, size) in zip(labels, operand.shape) {
        place = place * size + (size == 1 ? 0 : index[label] ?? 0)
      }
      product *= operand.values[place]
    }
    result[number / max(inner, 1)] += product
  }
  return result
}

/// The worst |actual - expected| in units of the largest expected number (at least 1); infinite for
/// a wrong length and NaN.
func worstScaled(_ actual: Tensor, _ expected: [Double]) -> Double {
  let values = actual.array(of: Double.self)
  guard values.count == expected.count else { return .infinity }
  let scale = expected.reduce(1) { max($0, $1.magnitude) }
  return zip(values, expected).reduce(0) { worst, pair in
    let error = (pair.0 - pair.1).magnitude / scale
    return error.isNaN ? .infinity : max(worst, error)
  }
}
