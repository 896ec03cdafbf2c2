import NormaValues

extension Tensor {
  /// The chosen elements: `x[0, 1..<3, -1]`, `x[mask]`, `x[[0, 2]]`, `x[0..., places]`.
  ///
  /// - Integers take one element and drop the axis; ranges must lie inside; ``AxisSlice`` has steps and
  ///   clamps. Axes that are not named stay whole. With these alone the result is a view.
  /// - Tensors and arrays of integers pick elements by their places; several broadcast to one shape,
  ///   which stands where they stand, or in front if other axes are between them. Truth values pick
  ///   where they hold, along as many axes as they have. The result is a copy, made at once.
  /// - Negative numbers count from the end.
  ///
  /// Assigning replaces these elements; the new ones broadcast and take this tensor's type. Other
  /// tensors keep their values. Cost: what is assigned, if nothing else uses this tensor's memory, it
  /// has no gaps and no gradient is recorded; else a copy besides. The gradient reaches what was not
  /// replaced, and what replaced it. PyTorch: `x[...]` and `x[...] = y`.
  public subscript(
    _ indices: any TensorIndex..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> Tensor {
    get { taking(indices, file, line) }
    set { assign(newValue, at: indices, file, line) }
  }

  /// `x[..., 0]`: the indices belong to the last axes.
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

  /// The elements that an array of indices chooses, for callers that do not write them down.
  package func taking(
    _ indices: [any TensorIndex], _ file: StaticString = #fileID, _ line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line, call: "subscript") { () throws(TensorError) in
      if isPoisoned { return self }
      let indices = indices.map(\.axisIndex)
      guard indices.contains(where: \.isTensor) else {
        return try seen(through: Tensor.window(indices), "subscript")
      }
      let plan = try AdvancedIndex(indices, of: shape, "subscript")
      return try plan.wide(self).picked(plan.places).reshaped(plan.shape)
    }
  }

  /// A copy with other elements where `indices` choose them: assignment in brackets,
  /// as a function.
  ///
  /// - Parameters:
  ///   - indices: what stands between brackets.
  ///   - values: the new elements, which broadcast to the chosen ones and take this tensor's type.
  ///   - accumulating: whether to add them, in order and in `float64`, where one place is chosen
  ///     several times; otherwise the last stays.
  ///   - file: The caller's file, for the text of a mistake.
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
    let part = try values.fitted(to: plan.shape, dtype, call).reshaped(plan.places.narrow)
    let wide = plan.wide(self)
    let new =
      try accumulates ? wide.added(part, at: plan.places) : wide.replaced(by: part, at: plan.places)
    let result = plan.restored(new)
    guard let window = plan.window else { return result }
    return try replacing(window, with: result, call)
  }

  /// These values for a part of a shape and type: without axes of size 1 that are too many.
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
        call, "values of shape \(self.shape) do not broadcast to the chosen elements, \(shape)")
    }
    return values.cast(to: dtype).broadcast(to: shape)
  }

  private static func window(_ indices: [Tensor.AxisIndex], _ call: String = "subscript") -> Window
  {
    { (whole: Layout) throws(TensorError) in try whole.taking(indices, call) }
  }

  /// Zeros, or another number, in a shape, with these elements where `indices` would take them from.
  func spread(
    over shape: [Int], at indices: [any TensorIndex], filling value: Double = 0
  ) -> Tensor {
    checked { () throws(TensorError) in
      try spread(
        over: shape, filling: value, Tensor.window(indices.map(\.axisIndex)), "subscript")
    }
  }
}
