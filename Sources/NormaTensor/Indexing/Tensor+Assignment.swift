import NormaKernels

extension Tensor {
  /// A number that is assigned to chosen elements: `x[mask] = 0`.
  public struct AssignedNumber: Sendable, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral
  {
    fileprivate let tensor: Tensor
    fileprivate let number: Scalar

    /// A number, or a truth value.
    public init<T: TensorElement>(_ value: T) { (tensor, number) = (Tensor(value), Scalar(value)) }
    /// An integer as it is written.
    public init(integerLiteral value: Int) { self.init(value) }
    /// A number as it is written.
    public init(floatLiteral value: Double) { self.init(value) }
    /// A truth value as it is written.
    public init(booleanLiteral value: Bool) { self.init(value) }
  }
}

extension Tensor {
  /// Assigns one number to the chosen elements: `x[x .< 0] = 0`. A number that the type does not hold is
  /// refused. Reading gives a tensor.
  @_disfavoredOverload
  public subscript(
    _ indices: any TensorIndex..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> AssignedNumber {
    @available(*, unavailable, message: "chosen elements are a Tensor; item() gives a number")
    get { AssignedNumber(0) }
    set { assign(newValue, at: indices, file, line) }
  }

  /// Assigns one number to the elements that indices for the last axes choose: `x[..., 0] = 1`.
  @_disfavoredOverload
  public subscript(
    _ all: UnboundedRange, _ rest: any TensorIndex..., file file: StaticString = #fileID,
    line line: UInt = #line
  ) -> AssignedNumber {
    @available(*, unavailable, message: "chosen elements are a Tensor; item() gives a number")
    get { AssignedNumber(0) }
    set { assign(newValue, at: [Ellipsis()] + rest, file, line) }
  }

  private mutating func assign(
    _ value: AssignedNumber, at indices: [any TensorIndex], _ file: StaticString, _ line: UInt
  ) {
    guard isPoisoned || value.number.fits(dtype) else {
      report(value.number.misfit(dtype, "subscript"), file: file, line: line)
      self = .poisoned
      return
    }
    assign(value.tensor, at: indices, file, line)
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
        case .stored(let storage) = held.content,
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
