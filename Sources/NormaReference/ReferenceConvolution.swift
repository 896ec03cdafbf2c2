/// Convolutions and poolings by their definitions, over any number of axes of space.
package enum ReferenceWindows {
  /// The sizes of windows along each axis of space.
  package struct Window: Sendable {
    package var stride: [Int], before: [Int], dilation: [Int], kernel: [Int]

    package init(stride: [Int], before: [Int], dilation: [Int], kernel: [Int]) {
      (self.stride, self.before) = (stride, before)
      (self.dilation, self.kernel) = (dilation, kernel)
    }

    /// The element of the input that result `at` sees at kernel element `k`; nil outside.
    func place(_ at: [Int], _ k: [Int], in sizes: [Int]) -> [Int]? {
      let place = at.indices.map { at[$0] * stride[$0] - before[$0] + k[$0] * dilation[$0] }
      return zip(place, sizes).allSatisfy { $0 >= 0 && $0 < $1 } ? place : nil
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
        guard let place = window.place(Array(at.dropFirst(2)), k, in: space) else { continue }
        let offset = position(of: place, in: space)
        for c in 0..<inputs {
          sum +=
            x.values[(plane + c) * area + offset]
            * weight.values[(at[1] * inputs + c) * kernelArea + number]
        }
      }
      return sum
    }
  }

  /// The largest element of each window; the first of equal ones; NaN if there is one; -inf at -1 of none.
  package static func largest(
    _ x: ReferenceTensor, _ window: Window, outputs: [Int]
  ) -> (values: ReferenceTensor, places: [Int]) {
    let space = Array(x.shape.dropFirst(2))
    var places: [Int] = []
    let kernel = indices(of: window.kernel)
    let values = ReferenceTensor(shape: Array(x.shape.prefix(2)) + outputs) { at in
      var best: (value: Double, place: Int)?
      for k in kernel {
        guard let place = window.place(Array(at.dropFirst(2)), k, in: space) else { continue }
        let value = x[Array(at.prefix(2)) + place]
        if best.map({ value > $0.value || value.isNaN }) ?? true {
          best = (value, position(of: place, in: space))
        }
      }
      places.append(best?.place ?? -1)
      return best?.value ?? -.infinity
    }
    return (values, places)
  }
}
