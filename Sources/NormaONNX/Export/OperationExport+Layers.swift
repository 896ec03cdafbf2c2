import NormaKernels
import NormaTensor

/// Operations of which layers are made: convolutions, pooling, normalization, attention.
extension OperationExport {
  func transposedConvolution(
    _ stride: [Int], _ dilation: [Int], _ before: [Int], _ groups: Int, _ space: [Int]
  ) -> Operand? {
    let (x, kernel) = (tensors[0].shape.dropFirst(2), Array(tensors[1].shape.dropFirst(2)))
    let extra = space.indices.map { axis in
      let reach = dilation[axis] * (kernel[axis] - 1) + 1
      return space[axis]
        - ((x[x.startIndex + axis] - 1) * stride[axis] - 2 * before[axis] + reach)
    }
    return builder.add(
      "ConvTranspose", [operand(0), operand(1)],
      [
        ("kernel_shape", .ints(kernel)), ("strides", .ints(stride)), ("dilations", .ints(dilation)),
        ("pads", .ints(before + before)), ("output_padding", .ints(extra)), ("group", .int(groups)),
      ])
  }

  /// Maxima over regular windows; their stride and padding follow from where they begin.
  func maxPooling(_ axes: [WindowAxis]) -> Operand? {
    var (kernel, strides, before, after) = ([Int](), [Int](), [Int](), [Int]())
    for axis in axes {
      guard let window = RegularWindow(axis) else {
        return unsupported("max pooling over windows of different sizes")
      }
      kernel.append(window.kernel)
      strides.append(window.stride)
      before.append(window.before)
      after.append(window.after)
    }
    return builder.add(
      "MaxPool", [operand(0)],
      [
        ("kernel_shape", .ints(kernel)), ("strides", .ints(strides)),
        ("pads", .ints(before + after)), ("dilations", .ints(axes.map(\.step))),
      ])
  }

  // MARK: Normalization

  func normalization(
    _ axes: [Int], _ isCentered: Bool, _ eps: Double, _ hasWeight: Bool, _ hasBias: Bool
  ) -> Operand? {
    let x = operand(0)
    let rank = tensors[0].rank
    let isLast = axes == Array((rank - axes.count)..<rank)
    let shape = axes.map { tensors[0].shape[$0] }
    if isCentered, isLast, hasWeight, tensors[1].count == shape.reduce(1, *) {
      let state = tensors.dropFirst().map { builder.operand($0.reshaped(shape)) }
      return builder.add(
        "LayerNormalization", [x] + state,
        [("axis", .int(-axes.count)), ("epsilon", .float(eps))])
    }
    func mean(_ value: Operand) -> Operand {
      node("ReduceMean", value, .sizes(axes), attributes: [("keepdims", .int(1))])
    }
    let centered = isCentered ? node("Sub", x, mean(x)) : x
    let spread = node("Sqrt", node("Add", mean(node("Mul", centered, centered)), number(eps)))
    return scaled(node("Div", centered, spread), from: 1, hasWeight, hasBias)
  }

  func givenNormalization(_ eps: Double, _ hasWeight: Bool, _ hasBias: Bool) -> Operand? {
    let type = result.dtype
    let centered = node("Sub", operand(0), operand(1, as: type))
    let spread = node("Sqrt", node("Add", operand(2, as: type), number(eps)))
    return scaled(node("Div", centered, spread), from: 3, hasWeight, hasBias)
  }

  private func scaled(
    _ value: Operand, from first: Int, _ hasWeight: Bool, _ hasBias: Bool
  ) -> Operand {
    var (value, next) = (value, first)
    if hasWeight {
      value = node("Mul", value, operand(next, as: result.dtype))
      next += 1
    }
    return hasBias ? node("Add", value, operand(next, as: result.dtype)) : value
  }

  // MARK: Attention

  /// softmax(q kᵀ scale + mask) v by its definition; 0 for queries that a mask hides from all keys.
  func attention(_ isCausal: Bool, _ scale: Double, _ isGrouped: Bool) -> Operand? {
    let (q, k, v) = (tensors[0], tensors[1], tensors[2])
    let times = isGrouped ? q.shape[q.rank - 3] / k.shape[k.rank - 3] : 1
    let query = node("Mul", operand(0), number(scale))
    var scores = node("MatMul", query, heads(k.transposed(), times))
    if isCausal {
      let sizes = [q.shape[q.rank - 2], k.shape[k.rank - 2]]
      let hidden = node(
        "ConstantOfShape", .sizes(sizes),
        attributes: [("value", .number(-.infinity, result.dtype))])
      scores = node(
        "Add", scores,
        node("Trilu", hidden, builder.number(1, .int64), attributes: [("upper", .int(1))]))
    }
    let hasMask = tensors.count > 3
    if hasMask {
      let mask = builder.operand(tensors[3])
      scores =
        tensors[3].dtype == .bool
        ? node("Where", mask, scores, number(-.infinity)) : node("Add", scores, mask)
    }
    var weights = node("Softmax", scores, attributes: [("axis", .int(-1))])
    if hasMask { weights = node("Where", node("IsNaN", weights), number(0), weights) }
    return node("MatMul", weights, heads(v, times))
  }

  /// The heads of keys or values, each repeated for the queries that share it.
  private func heads(_ tensor: Tensor, _ times: Int) -> Operand {
    if times == 1 { return builder.operand(tensor) }
    let axis = tensor.rank - 3
    let apart = builder.operand(tensor.unsqueezed(axis + 1))
    var (wide, merged) = (tensor.shape, tensor.shape)
    wide.insert(times, at: axis + 1)
    merged[axis] *= times
    return node("Reshape", node("Expand", apart, .sizes(wide)), .sizes(merged))
  }
}

/// Windows of one size at equal distances, some cut by the ends of their axis.
struct RegularWindow: Hashable {
  let kernel: Int, stride: Int, before: Int, after: Int

  /// Nil for windows that no kernel, stride and padding make.
  init?(_ axis: WindowAxis) {
    let kernel = axis.lengths.map(Int.init).max() ?? 0
    let first = axis.lengths.firstIndex { Int($0) == kernel } ?? 0
    guard kernel > 0 else { return nil }
    // Windows are cut at the start of the axis before the first whole one, and at its end after it.
    func end(_ window: Int) -> Int {
      Int(axis.first[window]) + (Int(axis.lengths[window]) - 1) * axis.step
    }
    var stride = 1
    if axis.outputs > first + 1 {
      stride = Int(axis.first[first + 1] - axis.first[first])
    } else if first > 0 {
      stride = end(first) - end(first - 1)
    }
    let before = first * stride - Int(axis.first[first])
    let reach = axis.step * (kernel - 1) + 1
    guard stride > 0, before >= 0, before < reach else { return nil }
    let regular = WindowAxis(inputs: axis.inputs, outputs: axis.outputs, step: axis.step) {
      [stride] in ($0 * stride - before, kernel)
    }
    if regular != axis { return nil }
    (self.kernel, self.stride, self.before) = (kernel, stride, before)
    after = max((axis.outputs - 1) * stride - before + reach - axis.inputs, 0)
  }
}
