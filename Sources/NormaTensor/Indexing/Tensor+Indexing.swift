import NormaValues

extension Tensor {
  /// The selected elements: `x[0, 1..<3, -1]`, `x[mask]`, `x[[0, 2]]`, `x[0..., indices]`.
  ///
  /// - An integer selects one element and drops the axis; ranges must be in bounds; ``AxisSlice``
  ///   has steps and clamps. Axes without an index are kept whole. With only these the result is a
  ///   view.
  /// - Tensors and arrays of integers select elements by their indices; several of them broadcast
  ///   to one shape, which takes the position of their axes, or comes first if other axes are
  ///   between them. Boolean masks select the elements where they are true, along as many axes as
  ///   they have. The result is a copy, made eagerly.
  /// - Negative numbers count from the end.
  ///
  /// Assigning replaces these elements; the new ones broadcast and are cast to this tensor's type.
  /// Other tensors keep their values. Cost: that of the assigned elements, if nothing else uses
  /// this tensor's memory, it has no gaps and no gradient is recorded; otherwise a copy as well.
  /// The gradient reaches elements that were not replaced, and the new ones.
  /// PyTorch: `x[...]` and `x[...] = y`.
  public subscript(
    _ indices: any TensorIndex..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> Tensor {
    get { taking(indices, file, line) }
    set { assign(newValue, at: indices, file, line) }
  }

  /// `x[..., 0]`: indices for the last axes.
  public subscript(
    _ all: UnboundedRange, _ rest: any TensorIndex..., file file: StaticString = #fileID,
    line line: UInt = #line
  ) -> Tensor {
    get { taking([Ellipsis()] + rest, file, line) }
    set { assign(newValue, at: [Ellipsis()] + rest, file, line) }
  }

  /// `x[0, ..., 1]`: one index for the first axis, the rest for the last axes.
  public subscript(
    _ first: any TensorIndex, _ all: UnboundedRange, _ rest: any TensorIndex...,
    file file: StaticString = #fileID, line line: UInt = #line
  ) -> Tensor {
    get { taking([first, Ellipsis()] + rest, file, line) }
    set { assign(newValue, at: [first, Ellipsis()] + rest, file, line) }
  }

  /// `x[0, 1, ..., 2]`: two indices for the first axes, the rest for the last axes.
  public subscript(
    _ first: any TensorIndex, _ second: any TensorIndex, _ all: UnboundedRange,
    _ rest: any TensorIndex..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> Tensor {
    get { taking([first, second, Ellipsis()] + rest, file, line) }
    set { assign(newValue, at: [first, second, Ellipsis()] + rest, file, line) }
  }

  /// The elements selected by an array of indices, for callers that compute the indices.
  package func taking(
    _ indices: [any TensorIndex], _ file: StaticString = #fileID, _ line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line, call: "subscript") { () throws(TensorError) in
      let indices = indices.map(\.axisIndex)
      guard indices.contains(where: \.isTensor) else {
        return try seen(through: Tensor.window(indices), "subscript")
      }
      let plan = try AdvancedIndex(indices, of: shape, "subscript")
      return try plan.wide(self).picked(plan.axisIndices).reshaped(plan.shape)
    }
  }

  /// A copy with other elements at `indices`: assignment with brackets, as a function.
  ///
  /// - Parameters:
  ///   - indices: as between brackets.
  ///   - values: the new elements, which broadcast to the selected ones and are cast to this
  ///     tensor's type.
  ///   - accumulating: whether to add the values, in order and in `float64`, where an element is
  ///     selected several times; otherwise the last one is kept.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - PyTorch: `x.index_put(indices, values, accumulate)`.
  public func replacing(
    at indices: [any TensorIndex], with values: Tensor, accumulating: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try replacing(indices.map(\.axisIndex), values, accumulating, "replacing(at:with:)")
    }
  }

  func replacing(
    _ indices: [Tensor.AxisIndex], _ values: Tensor, _ accumulates: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned || values.isPoisoned { return .poisoned }
    guard indices.contains(where: \.isTensor) else {
      let window = Tensor.window(indices, call)
      let fitted = try values.fitted(to: try window(layout).shape, dtype, call)
      if !accumulates { return try replacing(window, with: fitted, call) }
      return self + (try fitted.spread(over: shape, window, call))
    }
    let plan = try AdvancedIndex(indices, of: shape, call)
    let part = try values.fitted(to: plan.shape, dtype, call).reshaped(plan.axisIndices.narrow)
    let wide = plan.wide(self)
    let new =
      try accumulates
      ? wide.added(part, at: plan.axisIndices) : wide.replaced(by: part, at: plan.axisIndices)
    let result = plan.restored(new)
    guard let window = plan.window else { return result }
    return try replacing(window, with: result, call)
  }

  /// These values for a part with the given shape and type: without superfluous axes of size 1.
  func fitted(
    to shape: [Int], _ dtype: DType, _ call: String
  ) throws(TensorError) -> Tensor {
    var values = self
    while values.rank > shape.count, values.shape[0] == 1 {
      values = values.selected(over: 0, at: 0)
    }
    let common = try? Shape.broadcast(values.shape, shape, call: call)
    guard common == shape else {
      throw TensorError(
        call, "values of shape \(self.shape) do not broadcast to the selected elements, \(shape)")
    }
    return values.cast(to: dtype).broadcast(to: shape)
  }

  private static func window(_ indices: [Tensor.AxisIndex], _ call: String = "subscript") -> Window
  {
    { (whole: Layout) throws(TensorError) in try whole.taking(indices, call) }
  }

  /// Zeros, or another number, in a shape, with these elements at the positions that `indices`
  /// select.
  func spread(
    over shape: [Int], at indices: [any TensorIndex], filling value: Double = 0
  ) -> Tensor {
    checked { () throws(TensorError) in
      try spread(
        over: shape, filling: value, Tensor.window(indices.map(\.axisIndex)), "subscript")
    }
  }
}
