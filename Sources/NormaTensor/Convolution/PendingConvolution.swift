import NormaOneDNN

/// A pending oneDNN convolution of `float32` or `bfloat16` with stored operands.
///
/// It runs a few images, or a few rows of a large one, at a time, so that operations after it, such
/// as batch norm, ReLU or the sum of a residual block, find its results in cache. How images are
/// divided depends only on sizes and threads, so the bits do not depend on what follows. oneDNN's
/// own post-operations are not used: its ReLU turns NaN into 0, and it adds residuals in the middle
/// of some sums.
final class PendingConvolution: Sendable {
  private let shape: ConvolutionShape
  /// Channels last.
  private let source: Tensor
  private let weights: Tensor
  private let bias: Tensor?
  /// Whether it runs by Winograd's algorithm if oneDNN has it for these sizes.
  private let usesWinograd: Bool
  /// The layout of the results.
  let layout: Layout

  /// The operands are detached, and stored if they are still pending.
  init(_ shape: ConvolutionShape, source: Tensor, weights: Tensor, bias: Tensor?) {
    self.shape = shape
    self.source = source.channelsLastDense
    self.weights = weights.contiguous()
    self.bias = bias?.contiguous()
    usesWinograd = Winograd.isAllowed && source.dtype == .float32 && shape.suitsWinograd
    layout = ConvolutionShape.layout(shape.destination)
    for operand in [self.source, self.weights, self.bias] { _ = operand?.node.materialize() }
  }

  /// Whether an operand has no values because memory ran out.
  var isLost: Bool { [source, weights, bias].contains { $0?.isPoisoned ?? false } }

  /// The element type of operands and results.
  private var dtype: DType { source.dtype }

  /// Writes the results to `target`. False if memory ran out.
  func run(into target: Storage) -> Bool {
    run(into: target, before: nil) { _ in true }
  }

  /// Runs, then runs `program`, which reads the results and overwrites them, part by part. False if
  /// memory ran out.
  func run(before program: Program, _ output: CompiledProgram.Output) -> Bool {
    run(into: output.storage, before: program) { part in
      let layout = output.layout.part(part)
      let part = program.part(part)
      var target = output
      (target.layout, target.isReused) = (layout, true)
      let compiled = CompiledProgram(part, by: .elementwise(layout), outputs: [target]) {
        Space.elementwise(
          layout.shape, order: Layout.order(layout.shape, layout.strides),
          layouts: part.inputs.map(\.layout) + [layout])
      }
      return compiled?.run(notes: false) ?? true
    }
  }

  /// Computes part after part; `finish` gets each while it is in cache. `program` describes it for
  /// the execution log.
  private func run(
    into target: Storage, before program: Program?, finish: (ConvolutionPart) -> Bool
  ) -> Bool {
    let threads = TensorThreads.count
    var traits: Set<ExecutionPlan.Trait> = program == nil ? [.oneDNN] : [.oneDNN, .inCache]
    let width = dtype.byteCount
    // Bytes of an image and of a row of it.
    func sizes(_ shape: [Int]) -> (image: Int, row: Int) {
      let image = shape.dropFirst().reduce(width, *)
      return (image, image / shape[2])
    }
    let (from, to) = (sizes(shape.source), sizes(shape.destination))
    var packed: (convolution: CompiledConvolution, weights: Weights)?
    var usesWinograd = usesWinograd
    var parts = parts(rowBytes: to.row, threads, usesWinograd: usesWinograd)
    // Where oneDNN does not have it, parts keep their usual size.
    if usesWinograd, let first = parts.first {
      let plan = plan(shape.window(of: first).shape, usesWinograd: true)
      if (try? CompiledConvolution.of(plan))?.isWinograd != true {
        usesWinograd = false
        parts = self.parts(rowBytes: to.row, threads, usesWinograd: false)
      }
    }
    for part in parts {
      let (window, first) = shape.window(of: part)
      let plan = plan(window, usesWinograd: usesWinograd)
      guard let convolution = try? CompiledConvolution.of(plan),
        let weights = packed?.convolution.packsLike(convolution) == true
          ? packed?.weights : try? packedWeights(for: convolution, &traits),
        run(
          convolution, plan, weights,
          from: part.images.lowerBound * from.image + first * from.row,
          to: .writes(
            target, at: part.images.lowerBound * to.image + part.rows.lowerBound * to.row))
      else {
        note(program, target, [.byProducts])
        return runByProducts(into: target) && finish(ConvolutionPart(whole: shape))
      }
      if convolution.isWinograd { traits.insert(.winograd) }
      packed = (convolution, weights)
      if !finish(part) { return false }
    }
    note(program, target, traits)
    return true
  }

  private func note(
    _ program: Program?, _ target: Storage, _ traits: Set<ExecutionPlan.Trait>
  ) {
    ExecutionLog.add(
      ExecutionPlan.Step(
        .convolution, ["convolution"] + (program?.instructions.operationNames ?? []),
        over: shape.destination,
        reads: (program?.readBytes(except: [ObjectIdentifier(target)]) ?? 0) + source.touchedBytes
          + weights.touchedBytes + (bias?.touchedBytes ?? 0),
        writes: layout.count * dtype.byteCount, traits))
  }

  /// The weights as they are given, and in the order of a compiled convolution.
  private struct Weights {
    let dense: KernelMemory
    /// Nil if the convolution reads them as they are.
    let packed: Storage?
  }

  /// The weights in the order of a compiled convolution, kept or made now.
  private func packedWeights(
    for convolution: CompiledConvolution, _ traits: inout Set<ExecutionPlan.Trait>
  ) throws(OneDNNError) -> Weights {
    let dense = weights.memory()
    if convolution.packedByteCount == 0 { return Weights(dense: dense, packed: nil) }
    let (storage, isNew) = try dense.storage.packed(
      for: convolution, from: weights.layout.offset, at: dense.address)
    traits.insert(isNew ? .packed : .prepacked)
    return Weights(dense: dense, packed: storage)
  }

  /// Runs a compiled part, whose source begins `offset` bytes behind the first. False if oneDNN
  /// failed.
  private func run(
    _ convolution: CompiledConvolution, _ plan: ConvolutionPlan, _ weights: Weights,
    from offset: Int, to target: KernelMemory
  ) -> Bool {
    let threads = TensorThreads.count
    let bias = bias?.memory()
    let (isPacked, hasBias) = (weights.packed != nil, bias != nil)
    let count = plan.destination.dims.reduce(1, *)
    let optional = [weights.packed.map { .reads($0) }, bias].compactMap { $0 }
    return KernelRecorder.run([source.memory(at: offset), weights.dense, target] + optional) { at in
      let optional = at + 3
      let bias = hasBias ? UnsafeRawPointer(optional[isPacked ? 1 : 0]) : nil
      do throws(OneDNNError) {
        try convolution.run(
          source: at[0], weights: at[1], packed: isPacked ? UnsafeRawPointer(optional[0]) : nil,
          bias: bias, destination: at[2])
        if convolution.isWinograd, !Winograd.areFinite(at[2], count, threads: threads) {
          try CompiledConvolution.of(plan.byDefinition).run(
            source: at[0], weights: at[1], bias: bias, destination: at[2])
        }
      } catch {
        return false
      }
      return true
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

  private func parts(rowBytes: Int, _ threads: Int, usesWinograd: Bool) -> [ConvolutionPart] {
    let most = (usesWinograd ? Limits.winogradPart : Limits.convolutionPart) * threads
    // Winograd's algorithm takes at most as many images as threads, unless there are few positions.
    let images = usesWinograd && shape.hasManyPositions ? threads : Int.max
    return ConvolutionPart.all(of: shape, rowBytes: rowBytes, most: most, images: images)
  }

  private func plan(_ window: ConvolutionShape, usesWinograd: Bool) -> ConvolutionPlan {
    window.plan(.forward, dtype, hasBias: bias != nil, usesWinograd: usesWinograd)
  }
}

extension ConvolutionShape {
  /// A pass through oneDNN, channels last.
  func plan(
    _ pass: ConvolutionPlan.Pass, _ dtype: DType, hasBias: Bool, usesWinograd: Bool = false
  ) -> ConvolutionPlan {
    func operand(_ shape: [Int]) -> ConvolutionPlan.Operand {
      // Norma allows any stride for axes of size 1, oneDNN does not.
      ConvolutionPlan.Operand(dims: shape, strides: ConvolutionShape.strides(shape))
    }
    // The groups are the first axis of oneDNN's weights.
    var dims = weights
    if groups > 1 { dims = [groups, dims[0] / groups] + dims.dropFirst() }
    return ConvolutionPlan(
      pass: pass, type: dtype.operandType, source: operand(source),
      weights: ConvolutionPlan.Operand(dims: dims, strides: Layout(contiguous: dims).strides),
      destination: operand(destination), hasBias: hasBias, stride: stride, dilation: dilation,
      before: before, after: after, threads: TensorThreads.count, usesWinograd: usesWinograd)
  }
}

extension Program {
  /// The same program for a part of its results.
  fileprivate func part(_ part: ConvolutionPart) -> Program {
    var shape = shape
    (shape[0], shape[2]) = (part.images.count, part.rows.count)
    return replacing(shape: shape, inputs.map { $0.layout.part(part) })
  }
}

extension Layout {
  /// The layout of a part of the results.
  fileprivate func part(_ part: ConvolutionPart) -> Layout {
    var shape = shape
    (shape[0], shape[2]) = (part.images.count, part.rows.count)
    return Layout(
      shape: shape, strides: strides,
      offset: offset + part.images.lowerBound * strides[0] + part.rows.lowerBound * strides[2])
  }
}
