import CNormaLoops
import NormaOneDNN

/// A pending oneDNN convolution of `float32` or `bfloat16` with stored operands.
///
/// It runs a few images at a time, so that operations after it, such as batch norm, ReLU or the sum
/// of a residual block, find its results in cache. How images are divided depends only on sizes and
/// threads, so the bits do not depend on what follows. oneDNN's own post-operations are not used:
/// its ReLU turns NaN into 0, and it adds residuals in the middle of some sums.
final class PendingConvolution: Sendable {
  private let shape: ConvolutionShape
  /// Channels last.
  private let source: Tensor
  private let weights: Tensor
  private let bias: Tensor?

  /// The operands are detached, and stored if they are still pending.
  init(_ shape: ConvolutionShape, source: Tensor, weights: Tensor, bias: Tensor?) {
    self.shape = shape
    self.source = source.channelsLastDense
    self.weights = weights.contiguous()
    self.bias = bias?.contiguous()
    for operand in [self.source, self.weights, self.bias] { _ = operand?.node.materialize() }
  }

  /// Whether an operand has no values because memory ran out.
  var isLost: Bool { [source, weights, bias].contains { $0?.isPoisoned ?? false } }

  /// The element type of operands and results.
  private var dtype: DType { source.dtype }

  /// The layout of the results.
  var layout: Layout { ConvolutionShape.layout(shape.destination) }

  /// Writes the results to `target`. False if memory ran out.
  func run(into target: Storage) -> Bool {
    run(into: target, before: [], reads: 0) { _ in true }
  }

  /// Runs, then runs `program`, which reads the results and overwrites them, part by part. False if
  /// memory ran out.
  func run(before program: Program, _ output: CompiledProgram.Output) -> Bool {
    let reads = program.readBytes(except: [ObjectIdentifier(output.storage)])
    return run(into: output.storage, before: program.instructions.operationNames, reads: reads) {
      images in
      let part = program.part(images)
      let layout = output.layout.part(images)
      let target = CompiledProgram.Output(
        value: output.value, storage: output.storage, layout: layout, width: output.width,
        isReused: true)
      let compiled = CompiledProgram(part, by: .elementwise(layout), outputs: [target]) {
        Space.elementwise(
          layout.shape, order: Layout.order(layout.shape, layout.strides),
          layouts: part.inputs.map(\.layout) + [layout])
      }
      return compiled?.run(notes: false) ?? true
    }
  }

  /// Computes part after part; `finish` gets each while it is in cache. `operations` and `reads`
  /// describe the work for the execution log.
  private func run(
    into target: Storage, before operations: [String], reads: Int, finish: (Range<Int>) -> Bool
  ) -> Bool {
    let threads = TensorThreads.count
    norma_team_set_library_threads(Int32(threads))
    var traits: Set<ExecutionPlan.Trait> = operations.isEmpty ? [.oneDNN] : [.oneDNN, .inCache]
    let width = dtype.byteCount
    let sizes = (
      source: source.count / shape.source[0] * width, result: layout.count / shape.source[0] * width
    )
    var packed: (convolution: CompiledConvolution, storage: Storage?)?
    for images in parts(threads) {
      do throws(OneDNNError) {
        let convolution = try CompiledConvolution.of(plan(images.count, threads))
        if packed?.convolution !== convolution {
          packed = (convolution, try packedWeights(for: convolution, &traits))
        }
        try convolution.run(
          source: source.memory + images.lowerBound * sizes.source, weights: weights.memory,
          packed: packed?.storage.map { UnsafeRawPointer($0.base) },
          bias: bias.map { UnsafeRawPointer($0.memory) },
          destination: target.base + images.lowerBound * sizes.result)
      } catch {
        note(operations, reads: reads, [.byProducts])
        return runByProducts(into: target) && finish(0..<shape.source[0])
      }
      if !finish(images) { return false }
    }
    note(operations, reads: reads, traits)
    return true
  }

  private func note(_ operations: [String], reads: Int, _ traits: Set<ExecutionPlan.Trait>) {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .convolution, ["convolution"] + operations, over: shape.destination,
        reads: reads + source.touchedBytes + weights.touchedBytes + (bias?.touchedBytes ?? 0),
        writes: layout.count * dtype.byteCount, traits))
  }

  /// The weights in the order of a compiled convolution, kept or made now; nil if they are in that
  /// order already.
  private func packedWeights(
    for convolution: CompiledConvolution, _ traits: inout Set<ExecutionPlan.Trait>
  ) throws(OneDNNError) -> Storage? {
    let byteCount = convolution.packedByteCount
    if byteCount == 0 { return nil }
    let memory = weights.node.materialize()
    return try memory.packed(for: convolution, from: weights.layout.offset) {
      () throws(OneDNNError) in
      let layout = Layout(contiguous: [byteCount])
      guard let storage = try? Storage.room(layout, .uint8, "") else { throw .outOfMemory }
      try convolution.pack(weights.memory, into: storage.base)
      traits.insert(.packed)
      return storage
    }
  }

  /// Computes everything by products, for what oneDNN cannot do. False if memory ran out.
  private func runByProducts(into target: Storage) -> Bool {
    let result = PlainConvolution(shape: shape).forward(
      source.cast(to: .float32), weights.cast(to: .float32), bias?.cast(to: .float32)
    ).cast(to: dtype).copied(to: layout)
    let storage = result.node.materialize()
    if storage.isMissing { return false }
    target.base.copyMemory(from: storage.base, byteCount: layout.count * dtype.byteCount)
    return true
  }

  /// The images that run together, divided as evenly as possible, larger parts first.
  private func parts(_ threads: Int) -> [Range<Int>] {
    let count = shape.source[0]
    let imageBytes = layout.count / count * dtype.byteCount
    let most = max(Limits.convolutionPart * threads / imageBytes, 1)
    let parts = (count + most - 1) / most
    let (size, larger) = count.quotientAndRemainder(dividingBy: parts)
    return (0..<parts).map { part in
      let first = part * size + min(part, larger)
      return first..<first + size + (part < larger ? 1 : 0)
    }
  }

  private func plan(_ images: Int, _ threads: Int) -> ConvolutionPlan {
    func operand(_ shape: [Int]) -> ConvolutionPlan.Operand {
      let sizes = [images] + shape.dropFirst()
      return ConvolutionPlan.Operand(dims: sizes, strides: ConvolutionShape.layout(sizes).strides)
    }
    return ConvolutionPlan(
      pass: .forward, type: dtype.operandType, source: operand(shape.source),
      weights: shape.weightsOperand, destination: operand(shape.destination), hasBias: bias != nil,
      stride: shape.stride,
      dilation: shape.dilation, before: shape.before, after: shape.after, threads: threads)
  }
}

extension ConvolutionShape {
  /// The weights as oneDNN takes them: with the groups as the first axis.
  var weightsOperand: ConvolutionPlan.Operand {
    var dims = weights
    if groups > 1 { dims = [groups, dims[0] / groups] + dims.dropFirst() }
    return ConvolutionPlan.Operand(dims: dims, strides: Layout(contiguous: dims).strides)
  }
}

extension Tensor {
  /// The address of the first stored element.
  fileprivate var memory: UnsafeMutableRawPointer {
    node.materialize().base + layout.offset * dtype.byteCount
  }
}

extension Program {
  /// The same program for a range of images (the first axis).
  fileprivate func part(_ images: Range<Int>) -> Program {
    replacing(shape: [images.count] + shape.dropFirst(), inputs.map { $0.layout.part(images) })
  }
}

extension Layout {
  /// The layout of a range of indices of the first axis.
  fileprivate func part(_ range: Range<Int>) -> Layout {
    Layout(
      shape: [range.count] + shape.dropFirst(), strides: strides,
      offset: offset + range.lowerBound * strides[0])
  }
}
