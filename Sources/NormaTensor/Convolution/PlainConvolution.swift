/// Convolution by slices and matrix products, one for each element of the kernel: for `float64`,
/// for builds without oneDNN, and as the definition.
struct PlainConvolution {
  let shape: ConvolutionShape

  private var padded: [Int] {
    Array(shape.source.prefix(2))
      + (0..<shape.rank).map { shape.source[$0 + 2] + shape.before[$0] + shape.after[$0] }
  }

  /// The indices of the padded source without its padding.
  private var inside: [any TensorIndex] {
    [AxisSlice(), AxisSlice()]
      + (0..<shape.rank).map {
        AxisSlice(from: shape.before[$0], to: shape.before[$0] + shape.source[$0 + 2])
      }
  }

  /// The elements of the padded source that a kernel element is multiplied with, one for each value
  /// of the destination.
  private func seen(by number: Int) -> [any TensorIndex] {
    let index = shape.kernelIndex(number)
    return [AxisSlice(), AxisSlice()]
      + (0..<shape.rank).map { axis in
        let start = index[axis] * shape.dilation[axis]
        return AxisSlice(
          from: start, to: start + (shape.destination[axis + 2] - 1) * shape.stride[axis] + 1,
          by: shape.stride[axis])
      }
  }

  private func kernel(_ number: Int) -> [any TensorIndex] {
    [AxisSlice(), AxisSlice()] + shape.kernelIndex(number).map { $0 as any TensorIndex }
  }

  /// `[N, channels, space...]` as `[groups, N space, channels of a group]`.
  private func rows(_ x: Tensor) -> Tensor {
    let (n, channels) = (x.shape[0], x.shape[1])
    let space = x.shape.dropFirst(2).reduce(1, *)
    return x.permuted([1, 0] + Array(2..<x.rank))
      .reshaped(shape.groups, channels / shape.groups, n * space).transposed()
  }

  /// The inverse of `rows`.
  private func batch(_ rows: Tensor, _ target: [Int]) -> Tensor {
    let order = [target[1], target[0]] + Array(target.dropFirst(2))
    return rows.transposed().reshaped(order).permuted([1, 0] + Array(2..<target.count))
  }

  /// The weights of a kernel element, `[groups, outputs, inputs]` of a group.
  private func matrix(_ weights: Tensor, _ number: Int) -> Tensor {
    weights.taking(kernel(number)).reshaped(
      shape.groups, shape.weights[0] / shape.groups, shape.weights[1])
  }

  private func sum(_ part: (Int) -> Tensor) -> Tensor {
    var total = part(0)
    for number in 1..<max(shape.kernelCount, 1) { total = (total + part(number)).evaluated() }
    return total
  }

  private func pad(_ source: Tensor) -> Tensor {
    padded == shape.source ? source : source.spread(over: padded, at: inside)
  }

  func forward(_ source: Tensor, _ weights: Tensor, _ bias: Tensor? = nil) -> Tensor {
    let source = pad(source)
    let total = sum { number in
      rows(source.taking(seen(by: number))).matmul(matrix(weights, number).transposed())
    }
    return batch(total, shape.destination).adding(bias: bias)
  }

  func sourceGradient(_ destination: Tensor, _ weights: Tensor) -> Tensor {
    let g = rows(destination).evaluated()
    let seenShape = Array(shape.source.prefix(2)) + Array(shape.destination.dropFirst(2))
    let total = sum { number in
      batch(g.matmul(matrix(weights, number)), seenShape)
        .spread(over: padded, at: seen(by: number))
    }
    return total.taking(inside)
  }

  func weightsGradient(_ source: Tensor, _ destination: Tensor) -> Tensor {
    let source = pad(source)
    let g = rows(destination).transposed().evaluated()
    let matrixShape = Array(shape.weights.prefix(2))
    return sum { number in
      g.matmul(rows(source.taking(seen(by: number)))).reshaped(matrixShape)
        .spread(over: shape.weights, at: kernel(number))
    }
  }
}
