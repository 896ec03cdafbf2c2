import NormaKernels

extension Tensor {
  /// Whether this variable is the only owner of the elements' memory, so that they may be changed
  /// in place.
  package mutating func holdsMemoryAlone() -> Bool {
    isKnownUniquelyReferenced(&node) && node.holdsMemoryAlone()
  }

  /// The value and both moments after a step of Adam, in one loop; nil unless these and the
  /// gradient are `float32` with the same layout.
  ///
  /// - Parameter inPlace: which of the three are not read again; their memory is reused for their
  ///   results.
  package static func adamStep(
    _ step: AdamStep, value: Tensor, gradient: Tensor, mean: Tensor, square: Tensor,
    inPlace: (value: Bool, mean: Bool, square: Bool)
  ) -> (value: Tensor, mean: Tensor, square: Tensor)? {
    let operands = [value, gradient, mean, square]
    let layout = value.node.layout
    guard
      operands.allSatisfy({
        $0.dtype == .float32 && $0.layout.isSame(as: layout) && $0.node.layout.isSame(as: layout)
      })
    else { return nil }
    let storages = operands.map { $0.node.materialize() }
    guard layout.offset == 0, !storages.contains(where: \.isMissing) else { return nil }
    func target(_ index: Int, _ isInPlace: Bool) -> Storage? {
      guard isInPlace else { return try? Storage.room(layout, .float32, "") }
      storages[index].forgetPacked()
      return storages[index]
    }
    guard let next = target(0, inPlace.value), let nextMean = target(2, inPlace.mean),
      let nextSquare = target(3, inPlace.square)
    else { return nil }
    let bytes = value.touchedBytes
    ExecutionLog.add(
      ExecutionPlan.Step(
        .oneLoop, ["Adam step"], over: layout.shape, reads: 4 * bytes, writes: 3 * bytes,
        inPlace.value ? [.inPlace] : []))
    step.run(
      layout.count,
      AdamStep.Memory(
        value: storages[0].base, gradient: storages[1].base, mean: storages[2].base,
        square: storages[3].base, into: (next.base, nextMean.base, nextSquare.base)),
      isStreamed: !inPlace.value && bytes >= Limits.streamedBytes,
      threads: TensorThreads.count)
    func tensor(_ storage: Storage) -> Tensor {
      Tensor(stored: storage, .float32, layout)
    }
    return withExtendedLifetime(storages) { (tensor(next), tensor(nextMean), tensor(nextSquare)) }
  }
}
