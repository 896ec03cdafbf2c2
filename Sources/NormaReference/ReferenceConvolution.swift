/// Convolutions and poolings by their definitions, over any number of spatial axes.
package enum ReferenceWindows {
  /// The sizes of windows along each spatial axis.
  package struct Window: Sendable {
    package var stride: [Int], before: [Int], dilation: [Int], kernel: [Int]

    package init(stride: [Int], before: [Int], dilation: [Int], kernel: [Int]) {
      (self.stride, self.before) = (stride, before)
      (self.dilation, self.kernel) = (dilation, kernel)
    }

    /// The index of the input element for result `at` and kernel element `k`; nil outside.
    func index(_ at: [Int], _ k: [Int], in sizes: [Int]) -> [Int]? {
      let index = at.indices.map { at[$0] * stride[$0] - before[$0] + k[$0] * dilation[$0] }
      return zip(index, sizes).allSatisfy { $0 >= 0 && $0 < $1 } ? index : nil
    }
  }

  /// y[n, o, p] = bias[o] + Σ x[n, c, p stride - before + k dilation] weight[o, c, k].
  package static func convolution(
    _ x: ReferenceTensor, _ weight: ReferenceTensor, bias: [Double]?, _ window: Window,
    groups: Int, outputs: [Int]
  ) -> ReferenceTensor {
    let inputs = weight.shape[1], perGroup = weight.shape[0] / groups
    let kernel = indices(of: window.kernel)
    let space = Array(x.shape.dropFirst(2))
    let (area, kernelArea) = (space.reduce(1, *), kernel.count)
    return ReferenceTensor(shape: [x.shape[0], weight.shape[0]] + outputs) { at in
      var sum = bias?[at[1]] ?? 0
      let plane = at[0] * x.shape[1] + at[1] / perGroup * inputs
      for (number, k) in kernel.enumerated() {
        guard let index = window.index(Array(at.dropFirst(2)), k, in: space) else { continue }
        let offset = position(of: index, in: space)
        for c in 0..<inputs {
          sum +=
            x.values[(plane + c) * area + offset]
            * weight.values[(at[1] * inputs + c) * kernelArea + number]
        }
      }
      return sum
    }
  }

  /// The largest element of each window; the first of equal ones; NaN if there is one; -inf at -1
  /// for an empty window.
  package static func largest(
    _ x: ReferenceTensor, _ window: Window, outputs: [Int]
  ) -> (values: ReferenceTensor, indices: [Int]) {
    let space = Array(x.shape.dropFirst(2))
    var found: [Int] = []
    let kernel = indices(of: window.kernel)
    let values = ReferenceTensor(shape: Array(x.shape.prefix(2)) + outputs) { at in
      var best: (value: Double, index: Int)?
      for k in kernel {
        guard let index = window.index(Array(at.dropFirst(2)), k, in: space) else { continue }
        let value = x[Array(at.prefix(2)) + index]
        if best.map({ value > $0.value || value.isNaN }) ?? true {
          best = (value, position(of: index, in: space))
        }
      }
      found.append(best?.index ?? -1)
      return best?.value ?? -.infinity
    }
    return (values, found)
  }
}
