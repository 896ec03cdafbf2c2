extension Evaluation {
  /// Computes a small tensor that is broadcast to the program's shape within the program itself, if
  /// all its pending operands are reductions that can run slice by slice just before.
  mutating func sliced(
    _ tensor: Tensor, _ operation: Operation, _ operands: [Tensor]
  ) -> Int? {
    guard maySlice, schedule.isWhole || schedule.slices != nil,
      tensor.layout.count > 4 * tensor.node.layout.count,
      tensor.layout.isStretch(of: tensor.node.layout),
      let group = SlicedReductions.group(below: tensor.node), group.cost <= 8,
      schedule.slices.map({ $0.group === group }) ?? true
    else { return nil }
    if schedule.isWhole {
      guard let new = SlicedReductions(group, for: program.shape) else { return nil }
      schedule = .slices(new)
    }
    return inline(tensor.node, stretchedBy: tensor.layout)
  }

  /// The value of a small node whose elements are broadcast by `stretch`.
  private mutating func inline(_ node: Node, stretchedBy stretch: Layout) -> Int {
    if let value = knownValue(node, node.layout) { return value }
    let value = makeInline(node, stretchedBy: stretch)
    known.append(Known(node: node, layout: node.layout, value: value))
    return value
  }

  private mutating func makeInline(_ node: Node, stretchedBy stretch: Layout) -> Int {
    switch node.content {
    case .pending(.elementwise(let operation, let operands)):
      var values = Operands()
      for operand in operands {
        if operand.layout === operand.node.layout {
          values.append(inline(operand.node, stretchedBy: stretch))
        } else {
          let layout = operand.layout.stretched(like: stretch)
          values.append(program.input(operand.node.materialize(), layout, operand.dtype))
        }
      }
      return apply(operation, values, operands)
    case .pending(.reduction(_, let result)):
      let storage = schedule.slices?.storage(result) ?? node.materialize()
      return program.input(storage, node.layout.stretched(like: stretch), node.dtype)
    case .stored, .pending(.convolution):
      return program.input(node.materialize(), node.layout.stretched(like: stretch), node.dtype)
    }
  }
}

extension Layout {
  /// Whether this layout is a pure broadcast of a smaller one, along new leading axes and axes of
  /// size 1: not a view, whose axes would have another meaning.
  func isStretch(of small: Layout) -> Bool {
    let shift = shape.count - small.shape.count
    guard shift >= 0, offset == small.offset else { return false }
    return shape.indices.allSatisfy { axis in
      let own = axis < shift ? 1 : small.shape[axis - shift]
      if own == 1 { return strides[axis] == 0 || shape[axis] == 1 }
      return own == shape[axis] && strides[axis] == small.strides[axis - shift]
    }
  }

  /// This small layout broadcast to the shape of `stretch` in the same way.
  func stretched(like stretch: Layout) -> Layout {
    let shift = stretch.shape.count - shape.count
    let strides = stretch.shape.indices.map { axis in
      axis < shift || shape[axis - shift] == 1 ? 0 : self.strides[axis - shift]
    }
    return Layout(shape: stretch.shape, strides: strides, offset: offset)
  }
}
