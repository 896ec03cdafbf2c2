import NormaValues

/// An array of numbers of one type in any number of dimensions: an immutable, Sendable value.
///
/// Elementwise operations and reductions return immediately; their programs run, fused into few
/// passes over memory, when numbers are needed. Slices, permutations and broadcasts are views that
/// copy nothing.
///
/// - Shapes broadcast from the last axis, as in PyTorch and NumPy: a size of 1 is repeated.
/// - Types promote as in PyTorch: Booleans, integers, real numbers; a number combined with a tensor
///   changes its type only if its category is higher. Half types are computed in `float32` and
///   rounded after every instruction.
/// - Fusion, threads and the processor's instruction set never change a bit of a result, except for
///   matrix products of `float32` and half types on oneDNN.
/// - An operation allocates only its result, with these exceptions: 8 bytes for each element that a
///   Boolean mask selects; the sorted values if only their indices are wanted, and both for each
///   element of `unique`, with memory for as many counts; running sums, scattered sums and half
///   types once more in a wider type; a copy of operands whose layout a kernel cannot read; less
///   than 1 MiB of scratch per thread. Pending elementwise work keeps its operands alive.
/// - Mistakes in shapes, axes and types stop the program with a message, or are thrown inside
///   ``catchingTensorErrors(_:)-(()->R)``.
/// - PyTorch: `torch.Tensor`.
public struct Tensor: Sendable {
  var node: Node
  package let layout: Layout
  /// The origin for gradients; nil if this does not depend on anything that needs one.
  var history: Derivation?

  init(node: Node, layout: Layout) {
    self.node = node
    self.layout = layout
  }

  /// Stored elements in this layout.
  init(stored storage: Storage, _ dtype: DType, _ layout: Layout) {
    self.init(node: Node(stored: storage, dtype: dtype, layout: layout), layout: layout)
  }

  /// A pending result with the node's own layout.
  init(_ work: Node.Work, dtype: DType, layout: Layout, cost: Int, depth: Int) {
    self.init(
      node: Node(work, dtype: dtype, layout: layout, cost: cost, depth: depth), layout: layout)
  }

  /// A row-major tensor whose elements `fill` writes.
  package init(
    shape: [Int], dtype: DType, fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    let layout = Layout(contiguous: shape)
    guard let storage = Storage.roomOrReport(layout, dtype) else {
      self = .poisoned
      return
    }
    try fill(UnsafeMutableRawBufferPointer(start: storage.address, count: storage.byteCount))
    self.init(stored: storage, dtype, layout)
  }

  /// A tensor with this layout that a kernel writes eagerly; it gets the addresses of the operands'
  /// first elements. A recorder can keep it.
  ///
  /// - Parameter call: the call named in an out-of-memory error.
  static func computed(
    _ dtype: DType, _ layout: Layout, from operands: [Tensor], _ call: String = "",
    by kernel: @escaping @Sendable (KernelAddresses, UnsafeMutableRawPointer) -> Void
  ) -> Tensor {
    var memory: [KernelMemory] = []
    memory.reserveCapacity(operands.count + 1)
    for operand in operands {
      let own = operand.memory()
      if own.storage.isMissing { return .poisoned }
      memory.append(own)
    }
    guard let result = Storage.roomOrReport(layout, dtype, call) else { return .poisoned }
    memory.append(.writes(result))
    let last = operands.count
    _ = KernelRecorder.run(memory) { at in
      kernel(at, at[last])
      return true
    }
    return Tensor(stored: result, dtype, layout)
  }

  /// The result of a call with a mistake inside a catching scope. It has axes, so that reading
  /// their sizes, as in `shape[1]`, does not end the process.
  package static let poisoned: Tensor = {
    let layout = Layout(contiguous: [Int](repeating: 1, count: 8))
    let storage = Storage(byteCount: 8)
    storage.base.storeBytes(of: 0, as: Int64.self)
    return Tensor(
      node: Node(stored: storage, dtype: .float32, layout: layout, isPoisoned: true),
      layout: layout)
  }()

  /// Whether a mistake produced this tensor; see ``catchingTensorErrors(_:)``.
  public var isPoisoned: Bool { node.isPoisoned }

  /// The sizes of the axes.
  public var shape: [Int] { layout.shape }

  /// The number of axes; 0 for a scalar.
  public var rank: Int { layout.shape.count }

  /// The number of elements.
  public var count: Int { layout.count }

  /// The type of the elements.
  public var dtype: DType { node.dtype }

  /// The distance in memory from one element to the next along each axis, in elements.
  ///
  /// PyTorch: `stride()`.
  public var strides: [Int] { layout.strides }

  /// Runs this tensor's pending program and stores its elements; returns the same tensor.
  ///
  /// Useful before a value is used many times, and to release the operands that the program keeps
  /// alive. The numbers are the same, bit for bit. Cost: one read of every input and one write.
  @discardableResult
  public func evaluated(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    _ = node.materialize()
    ErrorScope.locate(call: Node.lossCall, file, line)
    return self
  }

  /// The program that will run when this tensor's numbers are needed, one instruction per line; nil
  /// if its elements are stored.
  ///
  /// Reading it evaluates the program's inputs.
  public var programDescription: String? {
    guard case .pending(.elementwise(let operation, let operands)) = node.content else {
      return nil
    }
    var evaluation = Evaluation(shape: node.layout.shape)
    _ = evaluation.emit(operation, operands)
    return evaluation.program.description
  }

  /// Contiguous in row-major order: this tensor or a copy.
  package func contiguous() -> Tensor { layout.isContiguous ? self : copied() }

  /// A pending copy that is contiguous in row-major order.
  func copied() -> Tensor { copied(to: Layout(contiguous: shape)) }

  /// A pending copy with the layout `target`, which is dense and has this shape.
  func copied(to target: Layout) -> Tensor {
    let operation = Operation(code: .convert, operands: dtype, result: dtype)
    let source = detached()
    let (cost, depth) = Tensor.bounded([source])
    return Tensor(
      .elementwise(operation, [source]), dtype: dtype, layout: target, cost: cost + 1,
      depth: depth + 1
    ).noted(.copy, [source])
  }
}
