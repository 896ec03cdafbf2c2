import NormaTensor

extension OperatorTable {
  static var convolution: Entries {
    [
      "Conv": { node in
        let windows = try Windows(node)
        let groups = try node.int("group", 1)
        if let rank = node.constant(1)?.shape.count {
          node.role = .product(.convolution(rank: rank))
        }
        return { operands in
          let (x, weight) = try (operands.tensor(0), operands.tensor(1))
          return [
            .tensor(try convolve(x, weight, operands.optional(2), windows, groups, operands))
          ]
        }
      },
      "ConvTranspose": convTranspose,
    ]
  }

  /// A convolution whose sides may have different padding.
  static func convolve(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ windows: Windows, _ groups: Int,
    _ operands: Operands
  ) throws -> Tensor {
    let space = x.rank - 2
    guard (1...3).contains(space), weight.rank == x.rank else {
      throw operands.failure("shapes \(x.shape) and \(weight.shape) are no convolution's")
    }
    let place = try windows.place(
      lengths: Array(x.shape.suffix(space)), kernel: Array(weight.shape.suffix(space)))
    var source = x
    var padding = place.before
    if place.before != place.after {
      source = x.padded(zip(place.before, place.after).reversed().flatMap { [$0, $1] })
      padding = [Int](repeating: 0, count: space)
    }
    return try NormaTensor.convolve(
      source, weight, bias, space, Extents(place.strides), ConvolutionPadding(Extents(padding)),
      Extents(place.dilations), groups, call: "Conv")
  }

  private static func convTranspose(_ node: NodeContext) throws -> GraphPlan.Run {
    let windows = try Windows(node)
    let groups = try node.int("group", 1)
    let outputPadding = try node.ints("output_padding")
    let outputShape = try node.ints("output_shape")
    if let rank = node.constant(1)?.shape.count, groups == 1 {
      node.role = .product(.convolution(rank: rank, outputAxis: 1))
    }
    return { operands in
      let (x, weight) = try (operands.tensor(0), operands.tensor(1))
      let space = x.rank - 2
      guard (1...3).contains(space), weight.rank == x.rank else {
        throw operands.failure("shapes \(x.shape) and \(weight.shape) are no convolution's")
      }
      let lengths = Array(x.shape.suffix(space))
      let kernel = Array(weight.shape.suffix(space))
      try windows.check(space, kernel)
      for list in [outputPadding, outputShape] {
        let isShort = list.map { $0.count < space || $0.contains { !(0...1 << 31).contains($0) } }
        if isShort ?? false { throw operands.failure("\(list ?? []) for \(space) axes") }
      }
      let strides = windows.strides ?? [Int](repeating: 1, count: space)
      let dilations = windows.dilations ?? [Int](repeating: 1, count: space)
      let fixed = outputShape.map { Array($0.suffix(space)) }
      let extra = outputPadding ?? [Int](repeating: 0, count: space)
      // Everything that the input reaches; the padding is then cut off, or zeros are added.
      let reach = (0..<space).map { axis -> Int in
        let last = strides[axis] * (lengths[axis] - 1)
        return last + dilations[axis] * (kernel[axis] - 1) + 1
      }
      var before = [Int](repeating: 0, count: space)
      var sizes = reach
      for axis in 0..<space {
        var total: Int?
        if let fixed, fixed.count == space {
          sizes[axis] = fixed[axis]
          total = reach[axis] + extra[axis] - sizes[axis]
        } else if windows.mode.hasPrefix("SAME") {
          sizes[axis] = lengths[axis] * strides[axis]
          total = reach[axis] + extra[axis] - sizes[axis]
        }
        if let total {
          // Beyond its reach a convolution has zeros, all of them after it.
          let cut = max(total, 0)
          before[axis] = windows.mode == "SAME_UPPER" ? cut / 2 : cut - cut / 2
        } else {
          let pads = windows.pads ?? [Int](repeating: 0, count: 2 * space)
          before[axis] = pads[axis]
          sizes[axis] = reach[axis] + extra[axis] - pads[axis] - pads[axis + space]
        }
      }
      let zero = Extents([Int](repeating: 0, count: space))
      var result = try convolveTransposed(
        x, weight, operands.optional(2), space, Extents(strides), zero, zero, groups,
        Extents(dilations), call: "ConvTranspose")
      for axis in 0..<space {
        let end = before[axis] + sizes[axis]
        let missing = max(end - reach[axis], 0)
        if missing > 0 {
          // Beyond the reach there is nothing but the bias.
          var amounts = [Int](repeating: 0, count: 2 * (space - axis))
          amounts[amounts.count - 1] = missing
          result = result.padded(amounts)
          if let bias = operands.optional(2) {
            var shape = [Int](repeating: 1, count: x.rank)
            shape[2 + axis] = reach[axis] + missing
            let beyond = Tensor.arange(shape[2 + axis]).reshaped(shape) .>= reach[axis]
            var channels = [Int](repeating: 1, count: x.rank)
            channels[1] = -1
            result = Tensor.where(beyond, bias.reshaped(channels), result)
          }
        }
        if before[axis] != 0 || sizes[axis] != result.shape[2 + axis] {
          let start = max(before[axis], 0)
          result = result.narrowed(over: 2 + axis, from: start, count: sizes[axis])
        }
      }
      return [.tensor(result)]
    }
  }
}

/// How windows lie on an image: the attributes that convolutions and poolings share.
struct Windows {
  let kernel: [Int]?
  let strides: [Int]?
  let dilations: [Int]?
  let pads: [Int]?
  let mode: String
  let isCeil: Bool

  init(_ node: NodeContext) throws {
    kernel = try node.ints("kernel_shape")
    strides = try node.ints("strides")
    dilations = try node.ints("dilations")
    pads = try node.ints("pads")
    mode = try node.string("auto_pad", "NOTSET")
    isCeil = try node.flag("ceil_mode")
    let modes = ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]
    try node.require(modes.contains(mode), "auto_pad \(mode)")
  }

  /// Throws for lists that do not have a number for each axis, and for numbers that no window has.
  func check(_ space: Int, _ kernel: [Int]) throws {
    let limit = 1 << 24
    for list in [kernel, strides, dilations] {
      guard let list else { continue }
      guard list.count == space, list.allSatisfy({ (1...limit).contains($0) }) else {
        throw TensorError("windows", "\(list) for \(space) spatial axes")
      }
    }
    if let pads {
      guard pads.count == 2 * space, pads.allSatisfy({ (-limit...limit).contains($0) }) else {
        throw TensorError("windows", "padding \(pads) for \(space) spatial axes")
      }
    }
  }

  /// The windows on an image of known size.
  struct Place {
    var kernel: [Int], strides: [Int], dilations: [Int], before: [Int], after: [Int], sizes: [Int]
  }

  func place(lengths: [Int], kernel: [Int]) throws -> Place {
    let space = lengths.count
    try check(space, kernel)
    let ones = [Int](repeating: 1, count: space)
    let strides = strides ?? ones
    let dilations = dilations ?? ones
    var (before, after, sizes) = (ones, ones, ones)
    for axis in 0..<space {
      let reach = dilations[axis] * (kernel[axis] - 1) + 1
      switch mode {
      case "SAME_UPPER", "SAME_LOWER":
        sizes[axis] = (lengths[axis] + strides[axis] - 1) / strides[axis]
        let total = max((sizes[axis] - 1) * strides[axis] + reach - lengths[axis], 0)
        before[axis] = mode == "SAME_UPPER" ? total / 2 : total - total / 2
        after[axis] = total - before[axis]
      default:
        let given = mode == "VALID" ? nil : pads
        (before[axis], after[axis]) = (given?[axis] ?? 0, given?[axis + space] ?? 0)
        let room = lengths[axis] + before[axis] + after[axis] - reach
        sizes[axis] = room < 0 ? 0 : (room + (isCeil ? strides[axis] - 1 : 0)) / strides[axis] + 1
        // A last window must begin on the image or on the padding before it.
        if isCeil, (sizes[axis] - 1) * strides[axis] >= lengths[axis] + before[axis] {
          sizes[axis] -= 1
        }
      }
    }
    return Place(
      kernel: kernel, strides: strides, dilations: dilations, before: before, after: after,
      sizes: sizes)
  }
}
