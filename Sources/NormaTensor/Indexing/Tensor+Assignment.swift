import NormaValues

extension Tensor {
  /// Assigns one number, or a Boolean, to the selected elements: `x[x .< 0] = 0`. A number that the
  /// type cannot hold is an error. Reading returns a tensor.
  @_disfavoredOverload
  public subscript(
    _ indices: any TensorIndex..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> any TensorElement {
    @available(*, unavailable, message: "selected elements are a Tensor; item() gives a number")
    get { 0 }
    set { assign(newValue, at: indices, file, line) }
  }

  /// Assigns one number to the elements selected by indices for the last axes: `x[..., 0] = 1`.
  @_disfavoredOverload
  public subscript(
    _ all: UnboundedRange, _ rest: any TensorIndex..., file file: StaticString = #fileID,
    line line: UInt = #line
  ) -> any TensorElement {
    @available(*, unavailable, message: "selected elements are a Tensor; item() gives a number")
    get { 0 }
    set { assign(newValue, at: [Ellipsis()] + rest, file, line) }
  }

  private mutating func assign(
    _ value: some TensorElement, at indices: [any TensorIndex], _ file: StaticString, _ line: UInt
  ) {
    let number = Scalar(value)
    guard isPoisoned || number.fits(dtype) else {
      report(number.misfit(dtype, "subscript"), file: file, line: line)
      self = .poisoned
      return
    }
    assign(Tensor(value), at: indices, file, line)
  }

  /// Replaces the selected elements of this variable.
  mutating func assign(
    _ values: Tensor, at indices: [any TensorIndex], _ file: StaticString, _ line: UInt
  ) {
    do throws(TensorError) {
      try assign(values, indices.map(\.axisIndex))
      ErrorScope.locate(call: "subscript", file, line)
    } catch {
      refuse(error, call: "subscript", file: file, line: line)
      self = .poisoned
    }
  }

  private mutating func assign(_ values: Tensor, _ indices: [Tensor.AxisIndex]) throws(TensorError)
  {
    let call = "subscript"
    if history == nil && !values.isPoisoned && !Tensor.isRecorded([values]) && layout.isDense {
      let layout = layout
      var held = node
      // Once this variable's own reference to the node is gone, any other one is shared.
      self = .poisoned
      if isKnownUniquelyReferenced(&held), !held.isPoisoned,
        let storage = held.storage,
        try held.write(values, into: storage, layout, indices, call)
      {
        // A new node, so that nothing cached with the old one outlives its values.
        let new = Node(stored: storage, dtype: held.dtype, layout: held.layout)
        self = Tensor(node: new, layout: layout)
        return
      }
      self = Tensor(node: held, layout: layout)
    }
    self = try replacing(indices, values, false, call)
  }
}

extension Node {
  /// Writes selected elements of a view of stored ones.
  ///
  /// - Returns: false if they cannot be reached without a copy.
  fileprivate func write(
    _ values: Tensor, into storage: Storage, _ layout: Layout, _ indices: [Tensor.AxisIndex],
    _ call: String
  ) throws(TensorError) -> Bool {
    storage.forgetPacked()
    guard indices.contains(where: \.isTensor) else {
      let part = try layout.taking(indices, call)
      let fitted = try values.fitted(to: part.shape, dtype, call)
      if fitted.count > 0 { fitted.write(into: storage, part, as: dtype) }
      return true
    }
    let plan = try AdvancedIndex(indices, of: layout.shape, call)
    let fitted = try values.fitted(to: plan.shape, dtype, call)
    guard let wide = try plan.wide(layout) else { return false }
    try plan.axisIndices.check()
    try fitted.reshaped(plan.axisIndices.narrow).put(into: storage, wide, at: plan.axisIndices)
    return true
  }
}
