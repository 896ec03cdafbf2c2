import NormaOneDNN

/// The sizes of a convolution: a pure value.
struct ConvolutionShape: Hashable, Sendable {
  /// Batch, input channels, space.
  var source: [Int]
  /// Output channels, input channels of a group, kernel.
  let weights: [Int]
  /// Batch, output channels, space.
  var destination: [Int]
  let stride: [Int], dilation: [Int]
  var before: [Int], after: [Int]
  let groups: Int

  var rank: Int { stride.count }

  /// The convolution of a batch.
  init(
    source: [Int], weights: [Int], stride: Extents, padding: ConvolutionPadding,
    dilation: Extents, groups: Int, call: String
  ) throws(TensorError) {
    let space = source.count - 2
    try ConvolutionShape.check(weights, beside: source, groups, call)
    let (channels, overflows) = weights[1].multipliedReportingOverflow(by: groups)
    guard !overflows, source[1] == channels else {
      throw TensorError(
        call,
        "the input has \(source[1]) channels in axis 1 of \(source), but the weight \(weights) "
          + "with \(groups) groups is for \(overflows ? "more" : "\(channels)")")
    }
    guard weights[0] % groups == 0 else {
      throw TensorError(
        call, "\(weights[0]) output channels do not divide into \(groups) groups")
    }
    self.groups = groups
    self.source = source
    self.weights = weights
    self.stride = try stride.expanded(space, atLeast: 1, "stride", call: call)
    self.dilation = try dilation.expanded(space, atLeast: 1, "dilation", call: call)
    let (before, after) = try padding.sides(
      kernel: Array(weights.dropFirst(2)), stride: self.stride, dilation: self.dilation, call: call)
    (self.before, self.after) = (before, after)
    var destination = [source[0], weights[0]]
    for axis in 0..<space {
      let reach = self.dilation[axis] * (weights[axis + 2] - 1) + 1
      let room = source[axis + 2] + before[axis] + after[axis]
      guard weights[axis + 2] > 0, reach <= room else {
        throw TensorError(
          call,
          "the kernel spans \(reach) elements along axis \(axis + 2), and the padded input of "
            + "shape \(source) has \(room)")
      }
      destination.append((room - reach) / self.stride[axis] + 1)
    }
    self.destination = destination
    _ = try Shape.count(destination, call: call)
  }

  /// The convolution whose source gradient is a transposed convolution of `input`.
  init(
    transposed input: [Int], weights: [Int], stride: Extents, padding: Extents,
    outputPadding: Extents, dilation: Extents, groups: Int, call: String
  ) throws(TensorError) {
    let space = input.count - 2
    try ConvolutionShape.check(weights, beside: input, groups, call)
    guard input[1] == weights[0], input[1] % groups == 0 else {
      throw TensorError(
        call,
        "the input has \(input[1]) channels in axis 1 of \(input), in \(groups) groups, but the "
          + "weight \(weights) is for \(weights[0])")
    }
    self.groups = groups
    self.weights = weights
    destination = input
    self.stride = try stride.expanded(space, atLeast: 1, "stride", call: call)
    self.dilation = try dilation.expanded(space, atLeast: 1, "dilation", call: call)
    before = try padding.expanded(space, atLeast: 0, "padding", call: call)
    after = before
    let extra = try outputPadding.expanded(space, atLeast: 0, "outputPadding", call: call)
    let (channels, overflows) = weights[1].multipliedReportingOverflow(by: groups)
    try demand(!overflows, call, "weight \(weights) with \(groups) groups gives too many channels")
    var source = [input[0], channels]
    for axis in 0..<space {
      guard extra[axis] < max(self.stride[axis], self.dilation[axis]) else {
        throw TensorError(
          call,
          "outputPadding \(extra[axis]) must be smaller than stride \(self.stride[axis]) or "
            + "dilation \(self.dilation[axis])")
      }
      let reach = self.dilation[axis] * (weights[axis + 2] - 1) + 1
      let (last, overflows) = (input[axis + 2] - 1).multipliedReportingOverflow(
        by: self.stride[axis])
      guard !overflows, last < Int.max / 4 else {
        throw TensorError(
          call,
          "an axis of \(input[axis + 2]) becomes longer than memory can hold with stride "
            + "\(self.stride[axis])")
      }
      let size = last - 2 * before[axis] + reach + extra[axis]
      guard size > 0, weights[axis + 2] > 0 else {
        throw TensorError(
          call, "input \(input) and weight \(weights) give a result of size \(size)")
      }
      source.append(size)
    }
    self.source = source
    _ = try Shape.count(source, call: call)
  }

  /// Bounds the kernel so that products with strides and dilations do not overflow.
  private static func check(
    _ weights: [Int], beside input: [Int], _ groups: Int, _ call: String
  ) throws(TensorError) {
    if groups < 1 { throw TensorError(call, "groups must be at least 1, got \(groups)") }
    guard weights.count == input.count else {
      throw TensorError(
        call, "the weight has shape \(weights); \(input.count) axes are needed for \(input)")
    }
    if let wrong = weights.dropFirst(2).first(where: { $0 > Shape.longestWindow }) {
      throw TensorError(
        call,
        "the kernel of weight \(weights) has an axis of \(wrong), more than \(Shape.longestWindow)")
    }
  }

  /// Channels last: the memory order in which convolutions run and return their results.
  static func layout(_ shape: [Int]) -> Layout {
    Layout.dense(shape, order: [0] + Array(2..<shape.count) + [1])
  }

  /// The strides of that order.
  static func strides(_ shape: [Int]) -> [Int] {
    var strides = shape
    strides[1] = 1
    var step = shape[1]
    for axis in (2..<shape.count).reversed() {
      strides[axis] = step
      step *= shape[axis]
    }
    strides[0] = step
    return strides
  }

  /// Whether direct evaluation of the definition is faster than anything that needs preparation: at
  /// most 131,072 products, some 50 microseconds, where oneDNN takes 10 after a millisecond of
  /// compiling, and fewer for kernels of up to three elements where rows of results have less than
  /// 16: a product in a row of one takes 5 nanoseconds, in a row of 16 one third. Sums in double
  /// also make such results as accurate as possible, which counts where kernels make them long.
  var isSmall: Bool {
    let row = kernelCount <= 3 ? min(destination[destination.count - 1], 16) : 16
    // Broadcast tensors may have any number of elements.
    return (destination + weights.dropFirst()).reduce(1.0) { $0 * Double($1) }
      <= Double(row * row * 512)
  }

  /// The number of kernel elements of one channel.
  var kernelCount: Int { weights.dropFirst(2).reduce(1, *) }

  /// The index of kernel element `number` along each axis.
  func kernelIndex(_ number: Int) -> [Int] {
    var rest = number
    var index = [Int](repeating: 0, count: rank)
    for axis in index.indices.reversed() {
      index[axis] = rest % weights[axis + 2]
      rest /= weights[axis + 2]
    }
    return index
  }
}
