import NormaValues

/// The kernels of one call, in order: the same call on other inputs with the same layouts runs them
/// again, with the same bits, without recording, planning, or taking memory for each.
///
/// What a call makes and drops lies in one block of memory, in which space is used again. What it
/// read besides its inputs, such as weights, must not change.
package final class KernelSequence: Sendable {
  /// A result of the call.
  private enum Output {
    /// Made by the call, at an address.
    case made(slot: Int, byteCount: Int, dtype: DType, node: Layout, layout: Layout)
    case constant(Tensor)
  }

  private struct Kernel: Sendable {
    /// The kernel's memory among the slots and offsets.
    let memory: Range<Int>
    let run: @Sendable (KernelAddresses) -> Bool
  }

  private let kernels: [Kernel]
  /// For all kernels, one after the other: the block of memory, and the offset in it.
  private let slots: [(slot: Int32, offset: Int)]
  private let constants: [Storage]
  private let outputs: [Output]
  private let inputCount: Int
  /// Bytes of the block for what the call makes and drops.
  private let blockBytes: Int
  private let most: Int

  /// The number of kernels.
  package var kernelCount: Int { kernels.count }

  /// Runs a call and its results, and finds its kernels.
  ///
  /// - Parameters:
  ///   - inputs: stored; each has memory of its own.
  ///   - body: the call, which gets the inputs; its results are evaluated.
  /// - Returns: the results, and nil if the call cannot be repeated.
  package static func recording(
    _ inputs: [Tensor], _ body: ([Tensor]) throws -> [Tensor]
  ) rethrows -> (results: [Tensor], sequence: KernelSequence?) {
    let storages = inputs.compactMap(\.node.storage)
    guard storages.count == inputs.count, !ExecutionLog.isOpen, !KernelRecorder.isOpen,
      Set(storages.map { ObjectIdentifier($0) }).count == inputs.count
    else { return (try body(inputs), nil) }
    // New nodes: what was computed from the inputs before, and is still known, is not used.
    let fresh = zip(inputs, storages).map { input, storage in
      let node = Node(stored: storage, dtype: input.dtype, layout: input.node.layout)
      return Tensor(node: node, layout: input.layout)
    }
    let (results, recorder) = try KernelRecorder.recording(storages) {
      let results = try body(fresh)
      for result in results { result.evaluated() }
      return results
    }
    return (results, KernelSequence(recorder, inputs: inputs.count, results))
  }

  private init?(_ recorder: KernelRecorder, inputs: Int, _ results: [Tensor]) {
    let storages = results.compactMap(\.node.storage)
    guard storages.count == results.count, !results.contains(where: \.isPoisoned),
      let recorded = recorder.recorded(storages)
    else { return nil }
    inputCount = inputs
    constants = recorded.constants
    // Slots: inputs, constants, the block, and the memory of each result.
    let block = inputs + constants.count
    var kept: [Int: Int] = [:]
    var outputs: [Output] = []
    for (result, place) in zip(results, recorded.results) {
      switch place {
      case .constant: outputs.append(.constant(result))
      case .input: return nil
      case .made(let index):
        let slot = kept[index] ?? block + 1 + kept.count
        kept[index] = slot
        outputs.append(
          .made(
            slot: slot, byteCount: recorded.made[index], dtype: result.dtype,
            node: result.node.layout, layout: result.layout))
      }
    }
    self.outputs = outputs
    let (offsets, bytes) = Self.places(recorded, keeping: Set(kept.keys))
    blockBytes = bytes
    var slots: [(Int32, Int)] = []
    var kernels: [Kernel] = []
    for kernel in recorded.kernels {
      let first = slots.count
      for (place, offset, _) in kernel.memory {
        switch place {
        case .input(let index): slots.append((Int32(index), offset))
        case .constant(let index): slots.append((Int32(inputs + index), offset))
        case .made(let index):
          if let slot = kept[index] {
            slots.append((Int32(slot), offset))
          } else {
            slots.append((Int32(block), offset + (offsets[index] ?? 0)))
          }
        }
      }
      kernels.append(Kernel(memory: first..<slots.count, run: kernel.run))
    }
    self.slots = slots
    self.kernels = kernels
    most = kernels.map(\.memory.count).max() ?? 0
  }

  /// Where in one block the memory lies that the call makes, except for `kept`: space is free again
  /// after its last use.
  private static func places(
    _ recorded: KernelRecorder.Recorded, keeping kept: Set<Int>
  ) -> (offsets: [Int: Int], byteCount: Int) {
    var last: [Int: Int] = [:]
    for (index, kernel) in recorded.kernels.enumerated() {
      for case .made(let made) in kernel.memory.map(\.place) { last[made] = index }
    }
    var offsets: [Int: Int] = [:]
    var byteCount = 0
    // What is in use, by offset.
    var used: [(range: Range<Int>, last: Int)] = []
    for (index, kernel) in recorded.kernels.enumerated() {
      used.removeAll { $0.last < index }
      for case .made(let made) in kernel.memory.map(\.place)
      where offsets[made] == nil && !kept.contains(made) {
        let size = max((recorded.made[made] + 63) & ~63, 64)
        var (start, position) = (0, 0)
        while position < used.count, used[position].range.lowerBound < start + size {
          start = max(start, used[position].range.upperBound)
          position += 1
        }
        used.insert((start..<start + size, last[made] ?? index), at: position)
        offsets[made] = start
        byteCount = max(byteCount, start + size)
      }
    }
    return (offsets, byteCount)
  }

  /// What determines the kernels of a call, besides what the call itself depends on: the layouts of
  /// its inputs, the number of threads, the type of products and the algorithm of convolutions.
  package static func key(_ inputs: [Tensor]) -> [Int] {
    var key = [
      TensorThreads.count, Autocast.type.map { Int($0.stored) } ?? -1, Winograd.isAllowed ? 1 : 0,
    ]
    for input in inputs {
      let layout = input.layout
      key += [Int(input.dtype.stored), layout.offset, layout.shape.count]
      key += layout.shape + layout.strides
    }
    return key
  }

  /// Runs the kernels on inputs with the layouts of the recorded ones; nil if one could not run,
  /// memory ran out, or a log of execution wants to see the steps.
  package func results(_ inputs: [Tensor]) -> [Tensor]? {
    let storages = inputs.compactMap(\.node.storage)
    guard storages.count == inputCount, !inputs.contains(where: \.isPoisoned),
      !ExecutionLog.isOpen
    else { return nil }
    let block = blockBytes > 0 ? Storage.scratch(byteCount: blockBytes) : nil
    if blockBytes > 0 && block == nil { return nil }
    var made: [Int: Storage] = [:]
    for case .made(let slot, let byteCount, _, _, _) in outputs where made[slot] == nil {
      guard let storage = Storage.scratch(byteCount: byteCount) else { return nil }
      made[slot] = storage
    }
    let count = inputCount + constants.count + 1 + made.count
    let hasRun = withUnsafeTemporaryAllocation(
      of: UnsafeMutableRawPointer.self, capacity: count + most
    ) { memory in
      guard let bases = memory.baseAddress else { return false }
      for (index, storage) in storages.enumerated() { bases[index] = storage.address }
      for (index, storage) in constants.enumerated() {
        bases[inputCount + index] = storage.address
      }
      let first = inputCount + constants.count
      // Nothing reads the block if it is empty.
      bases[first] = block?.address ?? bases[0]
      for (slot, storage) in made { bases[slot] = storage.address }
      return slots.withUnsafeBufferPointer { slots in
        for kernel in kernels {
          for (place, index) in kernel.memory.enumerated() {
            bases[count + place] = bases[Int(slots[index].slot)] + slots[index].offset
          }
          if !kernel.run(bases + count) { return false }
        }
        return true
      }
    }
    withExtendedLifetime((storages, block)) {}
    guard hasRun else { return nil }
    return outputs.map { output in
      switch output {
      case .constant(let tensor): return tensor
      case .made(let slot, _, let dtype, let node, let layout):
        guard let storage = made[slot] else { return .poisoned }
        return Tensor(node: Node(stored: storage, dtype: dtype, layout: node), layout: layout)
      }
    }
  }
}
