import NormaNN
import NormaTensor

extension ProcessGroup {
  /// Gives all processes the parameters and buffers of process `root`, and checks that they have
  /// them. PyTorch: what `DistributedDataParallel` does when it is made.
  /// - Throws: ``ProcessGroupError`` with the name of a parameter or buffer that not all processes
  ///   have in the same shape and type.
  public func broadcastState(of module: Module, from root: Int = 0) throws(ProcessGroupError) {
    let call = "broadcastState(of:from:)"
    if count == 1 { return }
    let state = module.stateDict()
    try compare(
      state.map { "\($0.key) \($0.value.dtype) \($0.value.shape)".bytesHash }, of: state, call,
      "shape and type of")
    var received = StateDict()
    for (name, value) in state { received[name] = try broadcast(value, from: root) }
    do {
      if rank != root { try module.load(received) }
    } catch {
      throw ProcessGroupError(call, "\(error)", ranks: [rank])
    }
    try verifyEqual(module)
  }

  /// Checks that parameters and buffers have the same bits in all processes, by a hash of each.
  ///
  /// Data parallel training keeps them equal, so a difference is a mistake: an update that not all
  /// processes made, or random numbers in it. Cost: one read.
  /// - Throws: ``ProcessGroupError`` with the first name whose values differ, and the ranks.
  public func verifyEqual(_ module: Module) throws(ProcessGroupError) {
    if count == 1 { return }
    let state = module.stateDict()
    try compare(
      state.map { $0.value.withUnsafeBytes { $0.hash } }, of: state, "verifyEqual(_:)", "values of")
  }

  /// Throws with the name of the first tensor whose hash differs from that of rank 0.
  private func compare(
    _ hashes: [Int64], of state: StateDict, _ call: String, _ what: String
  ) throws(ProcessGroupError) {
    let names = state.map(\.key)
    let counts = try allGather(Tensor(Int64(names.count))).map { $0.item(as: Int.self) }
    if let other = counts.firstIndex(where: { $0 != counts[0] }) {
      throw ProcessGroupError(
        call,
        "rank 0 has \(counts[0]) parameters and buffers, and rank \(other) has \(counts[other])",
        ranks: [other])
    }
    let all = try allGather(Tensor(hashes)).map { $0.array(of: Int64.self) }
    for index in names.indices {
      let ranks = all.indices.filter { all[$0][index] != all[0][index] }
      if ranks.isEmpty { continue }
      throw ProcessGroupError(
        call,
        "\(what) \(names[index]) differ between rank 0 and "
          + (ranks.count == 1 ? "rank " : "ranks ")
          + ranks.map(String.init).joined(separator: ", "), ranks: ranks)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// FNV-1a over words of eight bytes, with the last one filled up, and the number of bytes.
  fileprivate var hash: Int64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func add(_ word: UInt64) {
      hash = (hash ^ word) &* 0x100_0000_01b3
      // Words differ in their high bits, too, which a product does not move down.
      hash ^= hash >> 29
    }
    let words = count / 8
    for index in 0..<words { add(loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)) }
    var rest: UInt64 = 0
    for index in (words * 8)..<count { rest = rest << 8 | UInt64(self[index]) }
    add(rest)
    add(UInt64(count))
    return Int64(bitPattern: hash)
  }
}

extension String {
  fileprivate var bytesHash: Int64 { Array(utf8).withUnsafeBytes { $0.hash } }
}
