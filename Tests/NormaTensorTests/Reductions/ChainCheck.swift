import NormaTensor
import Testing

/// The elements of a result along an axis, for each index of the other axes.
func chains(_ tensor: Tensor, over axis: Int) -> [[Double]] {
  groups(tensor.array(of: Double.self), tensor.shape, over: [axis])
}

/// Compares a result along an axis with a definition applied to each chain of a sample; returns the
/// worst error in units of the last place, infinite if a length differs.
func worstChain(
  _ result: Tensor, _ sample: Sample, over axis: Int, slack: (([Double]) -> Double)? = nil,
  _ definition: ([Double]) -> [Double]
) -> Double {
  let inputs = groups(sample.values, sample.tensor.shape, over: [axis])
  let outputs = chains(result, over: axis)
  guard inputs.count == outputs.count else { return .infinity }
  var worst = 0.0
  for (input, output) in zip(inputs, outputs) {
    let expected = definition(input)
    guard expected.count == output.count else { return .infinity }
    let slack = slack?(input) ?? 0
    for (a, b) in zip(output, expected) {
      worst = max(worst, ulps(a, b, slack: slack, result.dtype))
    }
  }
  return worst
}

/// Cumulative results, each computed from the one before and the next element.
func running(_ values: [Double], _ next: (Double, Double) -> Double) -> [Double] {
  var results: [Double] = []
  for value in values { results.append(results.last.map { next($0, value) } ?? value) }
  return results
}
