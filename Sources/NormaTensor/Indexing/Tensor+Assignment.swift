import NormaValues

extension Tensor {
  /// Assigns one number, or a Boolean, to the chosen elements: `x[x .< 0] = 0`. One that the type does not hold is
  /// refused. Reading gives a tensor.
  @_disfavoredOverload
  public subscript(
    _ indices: any TensorIndex..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> any TensorElement {
    @available(*, unavailable, message: "chosen elements are a Tensor; item() gives a number")
    get { 0 }
    set { assign(newValue, at: indices, file, line) }
  }

  /// Assigns one number to the elements that indices for the last axes choose: `x[..., 0] = 1`.
  @_disfavoredOverload
  public subscript(
    _ all: UnboundedRange, _ rest: any TensorIndex..., file file: StaticString = #fileID,
    line line: UInt = #line
  ) -> any TensorElement {
    @available(*, unavailable, message: "chosen elements are a Tensor; item() gives a number")
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

  /// Replaces the chosen elements of this variable.
  mutating func assign(
    _ values: Tensor, at indices: [any TensorIndex], _ file: StaticString, _ line: UInt
  ) {
    do throws(TensorError) {
      try assign(values, indices.map(\.axisIndex))
      ErrorScope.place(call: "subscript", file, line)
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
      // Without its own reference to the node, whoever else holds it is somebody else.
      self = .poisoned
      if isKnownUniquelyReferenced(&held), !held.isPoisoned,
        let storage = held.storage,
        try held.write(values, into: storage, layout, indices, call)
      {
        // Another node, so that nothing kept with the old one outlives its values.
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
  /// Writes chosen elements of a view of stored ones.
  ///
  /// - Returns: false where they cannot be reached without a copy.
  fileprivate func write(
    _ values: Tensor, into storage: Storage, _ layout: Layout, _ indices: [Tensor.AxisIndex],
    _ call: String
  ) throws(TensorError) -> Bool {
    guard indices.contains(where: \.isTensor) else {
      let part = try layout.taking(indices, call)
      let fitted = try values.fitted(to: part.shape, dtype, call)
      if fitted.count > 0 { fitted.write(into: storage, part, as: dtype) }
      return true
    }
    let plan = try AdvancedIndex(indices, of: layout.shape, call)
    let fitted = try values.fitted(to: plan.shape, dtype, call)
    guard let wide = try plan.wide(layout) else { return false }
    try plan.places.check()
    try fitted.reshaped(plan.places.narrow).put(into: storage, wide, at: plan.places)
    return true
  }
}
