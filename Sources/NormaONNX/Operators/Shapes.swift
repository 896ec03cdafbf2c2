import NormaTensor

extension OperatorTable {
  /// Operators that change the shape and keep the elements, and those that ask for a shape.
  static var shapes: Entries {
    [
      "Shape": { node in
        let (start, end) = try (node.int("start", 0), node.int("end"))
        return { operands in
          let shape = try operands.value(0).shape
          let range = bounds(start, end, shape.count)
          return [.host(HostIntegers(Array(shape[range])))]
        }
      },
      "Size": { _ in
        { [.host(HostIntegers([try $0.value(0).shape.reduce(1, *)], shape: []))] }
      },
      "Reshape": { node in
        let allowsZero = try node.flag("allowzero")
        let target = try node.integers("shape", input: 1)
        return { operands in
          let x = try operands.value(0)
          guard var shape = try target(operands) else { throw operands.failure("has no shape") }
          if !allowsZero {
            for (axis, length) in shape.enumerated() where length == 0 && axis < x.shape.count {
              shape[axis] = x.shape[axis]
            }
          }
          return [reshaped(x, shape)]
        }
      },
      "Flatten": { node in
        let axis = try node.int("axis", 1)
        return { operands in
          let x = try operands.tensor(0)
          let first = axis < 0 ? axis + x.rank : axis
          guard (0...x.rank).contains(first) else { throw operands.failure("axis \(axis)") }
          return [
            .tensor(x.reshaped([x.shape[..<first].reduce(1, *), x.shape[first...].reduce(1, *)]))
          ]
        }
      },
      "Squeeze": { node in
        let axes = try node.integers("axes", input: 1)
        return { operands in
          let x = try operands.value(0)
          let rank = x.shape.count
          let gone =
            try axes(operands)?.map { $0 < 0 ? $0 + rank : $0 }
            ?? x.shape.indices.filter { x.shape[$0] == 1 }
          guard gone.allSatisfy({ $0 >= 0 && $0 < rank && x.shape[$0] == 1 }) else {
            throw operands.failure("axes \(gone) of shape \(x.shape) do not all have length 1")
          }
          return [reshaped(x, x.shape.indices.filter { !gone.contains($0) }.map { x.shape[$0] })]
        }
      },
      "Unsqueeze": { node in
        let axes = try node.integers("axes", input: 1)
        return { operands in
          let x = try operands.value(0)
          guard let given = try axes(operands) else { throw operands.failure("has no axes") }
          let rank = x.shape.count + given.count
          let new = given.map { $0 < 0 ? $0 + rank : $0 }.sorted()
          var shape = x.shape
          for axis in new {
            guard axis >= 0 && axis <= shape.count else {
              throw operands.failure("axes \(given) for shape \(x.shape)")
            }
            shape.insert(1, at: axis)
          }
          return [reshaped(x, shape)]
        }
      },
      "Transpose": { node in
        let order = try node.ints("perm")
        return { operands in
          let x = try operands.tensor(0)
          return [.tensor(x.permuted(order ?? Array(x.shape.indices.reversed())))]
        }
      },
      "Expand": { _ in
        { operands in
          let x = try operands.tensor(0)
          let target = try operands.value(1).integers
          return [.tensor(x.broadcast(to: try stretched(x.shape, target, operands)))]
        }
      },
      "Tile": { node in
        if node.opset < 6 { throw Unsupported("Tile before version 6") }
        return { operands in
          let counts = try operands.value(1).integers
          return [.tensor(try operands.tensor(0).tiled(counts))]
        }
      },
      "DepthToSpace": { node in
        let (size, mode) = try (node.int("blocksize", 1), node.string("mode", "DCR"))
        try node.require(["DCR", "CRD"].contains(mode), "mode \(mode)")
        try node.require((1...1 << 16).contains(size), "blocks of \(size)")
        return { operands in
          let x = try operands.tensor(0)
          guard x.rank == 4, size > 0, x.shape[1] % (size * size) == 0 else {
            throw operands.failure("block size \(size) does not fit shape \(x.shape)")
          }
          let (n, c, h, w) = (x.shape[0], x.shape[1] / (size * size), x.shape[2], x.shape[3])
          let blocks =
            mode == "DCR"
            ? x.reshaped([n, size, size, c, h, w]).permuted([0, 3, 4, 1, 5, 2])
            : x.reshaped([n, c, size, size, h, w]).permuted([0, 1, 4, 2, 5, 3])
          return [.tensor(blocks.reshaped([n, c, h * size, w * size]))]
        }
      },
      "SpaceToDepth": { node in
        let (size, mode) = try (node.int("blocksize", 1), node.string("mode", "DCR"))
        try node.require(["DCR", "CRD"].contains(mode), "mode \(mode)")
        try node.require((1...1 << 16).contains(size), "blocks of \(size)")
        return { operands in
          let x = try operands.tensor(0)
          guard x.rank == 4, size > 0, x.shape[2] % size == 0, x.shape[3] % size == 0 else {
            throw operands.failure("block size \(size) does not fit shape \(x.shape)")
          }
          let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2] / size, x.shape[3] / size)
          let blocks = x.reshaped([n, c, h, size, w, size])
          let order = mode == "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
          return [.tensor(blocks.permuted(order).reshaped([n, c * size * size, h, w]))]
        }
      },
    ]
  }

  /// The positions from `start` up to `end` of `count`, both clamped, negative ones from the end.
  static func bounds(_ start: Int, _ end: Int?, _ count: Int) -> Range<Int> {
    func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + count : index, 0), count) }
    let (first, last) = (clamped(start), clamped(end ?? count))
    return first..<max(first, last)
  }

  /// The value with another shape, in which one length may be -1.
  static func reshaped(_ value: Value, _ shape: [Int]) -> Value {
    guard case .host(var integers) = value, shape.count(where: { $0 < 0 }) <= 1,
      shape.count <= 8, shape.allSatisfy({ $0 <= HostIntegers.most })
    else {
      return .tensor(value.tensor.reshaped(shape))
    }
    var shape = shape
    let known = shape.reduce(1) { $1 < 0 ? $0 : $0 * $1 }
    if let free = shape.firstIndex(where: { $0 < 0 }), known > 0 {
      shape[free] = integers.values.count / known
    }
    guard shape.reduce(1, *) == integers.values.count, !shape.contains(where: { $0 < 0 }) else {
      return .tensor(value.tensor.reshaped(shape))
    }
    integers.shape = shape
    return .host(integers)
  }

  /// The common shape of two shapes, either of which may stretch.
  static func stretched(_ a: [Int], _ b: [Int], _ operands: Operands) throws -> [Int] {
    let rank = max(a.count, b.count)
    let x = [Int](repeating: 1, count: rank - a.count) + a
    let y = [Int](repeating: 1, count: rank - b.count) + b
    return try zip(x, y).map { m, n in
      if m == n || n == 1 { return m }
      guard m == 1 else { throw operands.failure("shape \(a) does not stretch to \(b)") }
      return n
    }
  }
}
