import NormaTensor

extension OperatorTable {
  static var pooling: Entries {
    [
      "MaxPool": maxPool,
      "AveragePool": averagePool,
      "LpPool": { node in
        let windows = try Windows(node)
        let p = Double(try node.int("p", 2))
        return { operands in
          let x = try operands.tensor(0)
          let place = try windows.pooling(x, operands)
          let sums = pow(x.abs(), p).overWindows(place, filling: 0) { $0.sum(over: $1) }
          return [.tensor(pow(sums, 1 / p))]
        }
      },
      "GlobalAveragePool": global { $0.mean(over: $1, keepDims: true) },
      "GlobalMaxPool": global { $0.max(over: $1, keepDims: true) },
      "GlobalLpPool": { node in
        let p = Double(try node.int("p", 2))
        return try global { $0.norm(p, over: $1, keepDims: true) }(node)
      },
      "MaxUnpool": { node in
        let windows = try Windows(node)
        return { operands in
          let (x, indices) = try (operands.tensor(0), operands.tensor(1))
          let space = x.rank - 2
          let (kernel, pads) = (windows.kernel ?? [], windows.pads)
          guard space > 0 else { throw operands.failure("shape \(x.shape)") }
          try windows.check(space, kernel)
          var shape = x.shape
          for axis in 0..<space {
            let reach = (x.shape[axis + 2] - 1) * (windows.strides?[axis] ?? 1) + kernel[axis]
            shape[axis + 2] = reach - (pads?[axis] ?? 0) - (pads?[axis + space] ?? 0)
          }
          var result = Tensor.zeros([shape.reduce(1, *)], dtype: x.dtype)
            .putting(indices.flattened(), x.flattened()).reshaped(shape)
          if let target = operands.integers(2), target.count == x.rank {
            result = result.padded(
              (0..<x.rank).reversed().flatMap { [0, target[$0] - shape[$0]] })
          }
          return [.tensor(result)]
        }
      },
    ]
  }

  private static func global(_ apply: @escaping (Tensor, [Int]) -> Tensor) -> Builder {
    { _ in
      { operands in
        let x = try operands.tensor(0)
        return [.tensor(x.rank > 2 ? apply(x, Array(2..<x.rank)) : x)]
      }
    }
  }

  private static func maxPool(_ node: NodeContext) throws -> GraphPlan.Run {
    let windows = try Windows(node)
    let isColumnMajor = try node.flag("storage_order")
    let wantsIndices = node.wants(1)
    return { operands in
      let given = try operands.tensor(0)
      let place = try windows.pooling(given, operands)
      let x = given.dtype.isFloatingPoint ? given : given.cast(to: .float32)
      let space = place.sizes.count
      // Norma's pooling takes the same padding on both sides, at most half of the windows.
      let isPlain = (0..<space).allSatisfy { axis -> Bool in
        let reach = place.dilations[axis] * (place.kernel[axis] - 1) + 1
        return place.before[axis] == place.after[axis] && place.before[axis] <= reach / 2
      }
      let lowest = x.dtype == .float16 ? -65504.0 : -.infinity
      let source =
        isPlain && !windows.isCeil ? x : x.surrounded(by: place, filling: lowest)
      let padding = isPlain && !windows.isCeil ? place.before : [Int](repeating: 0, count: space)
      let (values, indices) = NormaTensor.maxPool(
        source, space: space, kernelSize: Extents(place.kernel), stride: Extents(place.strides),
        padding: Extents(padding), dilation: Extents(place.dilations), ceilMode: false,
        needsIndices: wantsIndices, call: "MaxPool", file: #fileID, line: #line)
      let results = values.cast(to: given.dtype)
      guard wantsIndices else { return [.tensor(results)] }
      let shift = isPlain && !windows.isCeil ? padding : place.before
      return [
        .tensor(results),
        .tensor(
          positions(
            indices, in: x.shape, padded: Array(source.shape.suffix(space)),
            shift: isPlain && !windows.isCeil ? [Int](repeating: 0, count: space) : shift,
            isColumnMajor: isColumnMajor)),
      ]
    }
  }

  /// Positions in the whole input from those in a padded image.
  private static func positions(
    _ indices: Tensor, in shape: [Int], padded: [Int], shift: [Int], isColumnMajor: Bool
  ) -> Tensor {
    let space = padded.count
    let lengths = Array(shape.suffix(space))
    var rest = indices
    var result = Tensor(0, dtype: .int64)
    for axis in (0..<space).reversed() {
      let coordinate = Tensor.remainder(rest, padded[axis]) - shift[axis]
      rest = Tensor.divide(rest, padded[axis], rounding: .floor)
      let step = isColumnMajor ? lengths[..<axis].reduce(1, *) : lengths[(axis + 1)...].reduce(1, *)
      result = result + coordinate * step
    }
    let image = lengths.reduce(1, *)
    let ones = [Int](repeating: 1, count: space)
    let planes = Tensor.arange(shape[0] * shape[1]).reshaped([shape[0], shape[1]] + ones)
    return result + planes * image
  }

  private static func averagePool(_ node: NodeContext) throws -> GraphPlan.Run {
    let windows = try Windows(node)
    let countsPadding = try node.flag("count_include_pad")
    return { operands in
      let x = try operands.tensor(0)
      let place = try windows.pooling(x, operands)
      let space = place.sizes.count
      let isPlain = (0..<space).allSatisfy { axis -> Bool in
        let isEven = place.before[axis] == place.after[axis] && place.dilations[axis] == 1
        return isEven && place.before[axis] <= place.kernel[axis] / 2
      }
      if isPlain && !windows.isCeil {
        return [
          .tensor(
            NormaTensor.avgPool(
              x, space: space, kernelSize: Extents(place.kernel), stride: Extents(place.strides),
              padding: Extents(place.before), ceilMode: false, countIncludePad: countsPadding,
              divisorOverride: nil, call: "AveragePool", file: #fileID, line: #line))
        ]
      }
      var mean = x.overWindows(place, filling: 0) { $0.sum(over: $1) }
      for axis in 0..<space {
        let length = x.shape[axis + 2]
        let inside = countsPadding ? -place.before[axis]..<length + place.after[axis] : 0..<length
        let counts = (0..<place.sizes[axis]).map { output in
          (0..<place.kernel[axis]).count { tap in
            inside.contains(
              output * place.strides[axis] + tap * place.dilations[axis] - place.before[axis])
          }
        }
        var shape = [Int](repeating: 1, count: x.rank)
        shape[axis + 2] = counts.count
        mean = mean / Tensor(counts.map(Double.init), shape: shape).cast(to: x.dtype)
      }
      return [.tensor(mean)]
    }
  }
}

extension Windows {
  /// The windows of a pooling.
  fileprivate func pooling(_ x: Tensor, _ operands: Operands) throws -> Place {
    let space = x.rank - 2
    guard let kernel, kernel.count == space, (1...3).contains(space) else {
      throw operands.failure("kernel \(kernel ?? []) does not fit shape \(x.shape)")
    }
    return try place(lengths: Array(x.shape.suffix(space)), kernel: kernel)
  }
}

extension Tensor {
  /// The image with its padding, as long as the windows reach.
  fileprivate func surrounded(by place: Windows.Place, filling value: Double) -> Tensor {
    var amounts: [Int] = []
    for axis in place.sizes.indices.reversed() {
      let reach = place.dilations[axis] * (place.kernel[axis] - 1) + 1
      let end = (place.sizes[axis] - 1) * place.strides[axis] + reach
      amounts += [place.before[axis], end - place.before[axis] - shape[axis + 2]]
    }
    return padded(amounts, mode: .constant(value))
  }

  /// A reduction over windows, axis by axis, for windows that no faster function takes.
  fileprivate func overWindows(
    _ place: Windows.Place, filling value: Double, _ reduce: (Tensor, Int) -> Tensor
  ) -> Tensor {
    var result = surrounded(by: place, filling: value)
    for axis in place.sizes.indices {
      let taps = (0..<place.sizes[axis]).flatMap { output in
        (0..<place.kernel[axis]).map {
          Int64(output * place.strides[axis] + $0 * place.dilations[axis])
        }
      }
      let windows = result.indexSelected(Tensor(taps, shape: [taps.count]), over: axis + 2)
        .unflattened(axis + 2, into: [place.sizes[axis], place.kernel[axis]])
      result = reduce(windows, axis + 3)
    }
    return result
  }
}
