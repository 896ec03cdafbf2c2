import NormaValues

/// An array of numbers of one type in any number of dimensions: an immutable, Sendable value.
///
/// Elementwise operations and reductions return at once; their programs run, fused into few trips
/// over memory, when numbers are needed. Slices, permutations and broadcasts are views that copy
/// nothing.
///
/// - Shapes broadcast from the last axis on, as in PyTorch and NumPy; a size of 1 stretches.
/// - Types promote as in PyTorch: truth values, integers, real numbers; a number beside a tensor
///   changes its type only if its kind is higher. Half types are computed in `float32` and rounded
///   after every instruction.
/// - Fusing, threads and the processor's instruction set never change a bit of a result, except
///   for matrix products of `float32` and half types on oneDNN.
/// - An operation takes no memory beside its result, but for these: 8 bytes for each element that truth
///   values choose; the sorted values where only places are asked for, and both for each element of `unique`,
///   with room for as many counts; running sums, scattered sums and half types once more in a wider type;
///   a copy of what is not laid out as a kernel reads it; less than 1 MiB a thread of scratch. Elementwise
///   work that waits holds its operands.
/// - Mistakes in shapes, axes and types stop the program with a text, or are thrown inside of
///   ``catchingTensorErrors(_:)-(()->R)``.
/// - PyTorch: `torch.Tensor`.
public struct Tensor: Sendable {
  var node: Node
  package let layout: Layout
  /// What a gradient goes back to; nil for what does not depend on anything that wants one.
  var history: Derivation?

  init(node: Node, layout: Layout) {
    self.node = node
    self.layout = layout
  }

  /// A pending result of the node's own layout.
  init(_ work: Node.Work, dtype: DType, layout: Layout, cost: Int, depth: Int) {
    self.init(
      node: Node(work, dtype: dtype, layout: layout, cost: cost, depth: depth), layout: layout)
  }

  /// Row-major elements that `fill` writes.
  package init(
    shape: [Int], dtype: DType, fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    let layout = Layout(contiguous: shape)
    let byteCount = layout.count * dtype.byteCount
    let storage: Storage
    do throws(TensorError) {
      storage = try Storage.room(layout, dtype, "")
    } catch {
      report(error, file: #fileID, line: #line)
      self = .poisoned
      return
    }
    try fill(UnsafeMutableRawBufferPointer(start: storage.base, count: byteCount))
    self.init(node: Node(stored: storage, dtype: dtype, layout: layout), layout: layout)
  }

  /// What a call with a mistake gives inside of a catching scope. It has axes so that looking at their
  /// sizes, as at `shape[1]`, does not end the process.
  package static let poisoned: Tensor = {
    let layout = Layout(contiguous: [Int](repeating: 1, count: 8))
    let storage = Storage(byteCount: 8)
    storage.base.storeBytes(of: 0, as: Int64.self)
    return Tensor(
      node: Node(stored: storage, dtype: .float32, layout: layout, isPoisoned: true),
      layout: layout)
  }()

  /// Whether a mistake made this tensor; see ``catchingTensorErrors(_:)``.
  public var isPoisoned: Bool { node.isPoisoned }

  /// The sizes of the axes.
  public var shape: [Int] { layout.shape }

  /// The number of axes; 0 for a single number.
  public var rank: Int { layout.shape.count }

  /// The number of elements.
  public var count: Int { layout.count }

  /// The type of the elements.
  public var dtype: DType { node.dtype }

  /// The distance in memory from one element to the next along each axis, in elements.
  ///
  /// PyTorch: `stride()`.
  public var strides: [Int] { layout.strides }

  /// The same tensor with its pending program run and its elements stored.
  ///
  /// Useful before a value is used many times, and to release what the program holds. Nothing else
  /// changes: the numbers are the same, bit for bit. Cost: one read of every input and one write.
  @discardableResult
  public func evaluated(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    _ = node.materialize()
    ErrorScope.place(call: Node.lossCall, file, line)
    return self
  }

  /// The program that will run when this tensor's numbers are needed, one instruction a line; nil
  /// when its elements are stored.
  ///
  /// Reading it evaluates what the program takes as inputs.
  public var programDescription: String? {
    guard case .pending(.elementwise(let operation, let operands)) = node.content else {
      return nil
    }
    var evaluation = Evaluation(shape: node.layout.shape)
    _ = evaluation.emit(operation, operands)
    return evaluation.program.description
  }

  /// The elements without gaps in row-major order, as this tensor or a copy.
  func contiguous() -> Tensor { layout.isContiguous ? self : copied() }

  /// A pending copy without gaps, in row-major order.
  func copied() -> Tensor { copied(to: Layout(contiguous: shape)) }

  /// A pending copy without gaps, in the order of `target`, which has this shape.
  func copied(to target: Layout) -> Tensor {
    let operation = Operation(code: .convert, operands: dtype, result: dtype)
    let source = detached()
    let (cost, depth) = Tensor.bounded([source])
    return Tensor(
      .elementwise(operation, [source]), dtype: dtype, layout: target, cost: cost + 1,
      depth: depth + 1)
  }
}
