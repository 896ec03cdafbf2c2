import Foundation
import NormaNN
import NormaTensor

extension ProcessGroup {
  /// The values of all processes, in the order of ranks. PyTorch: `all_gather_object`.
  public func gathered<Value: Codable>(_ value: Value) throws(ProcessGroupError) -> [Value] {
    let call = "gathered(_:)"
    if count == 1 { return [value] }
    let bytes = try encoded(value, call)
    let sizes = try allGather(Tensor(Int64(bytes.count))).map { $0.item(as: Int.self) }
    let room = bytes + [UInt8](repeating: 0, count: (sizes.max() ?? 0) - bytes.count)
    let parts = try allGather(Tensor(room))
    return try zip(parts, sizes).map { part, size throws(ProcessGroupError) in
      try decoded(Array(part.array(of: UInt8.self).prefix(size)), call)
    }
  }

  /// The value of process `root`. PyTorch: `broadcast_object_list`.
  public func broadcast<Value: Codable>(
    value: Value, from root: Int = 0
  ) throws(ProcessGroupError) -> Value {
    if count == 1 { return value }
    let call = "broadcast(value:from:)"
    let bytes = rank == root ? try encoded(value, call) : []
    let size = try broadcast(Tensor(Int64(bytes.count)), from: root).item(as: Int.self)
    let room = rank == root ? Tensor(bytes) : Tensor([UInt8](repeating: 0, count: size))
    return try decoded(broadcast(room, from: root).array(of: UInt8.self), call)
  }

  /// A metric of the samples of all processes. PyTorch: torchmetrics' `sync`.
  public func merged<M: Metric>(_ metric: M) throws(ProcessGroupError) -> M {
    let all = try gathered(metric)
    return all.dropFirst().reduce(all[0]) { $0.merged(with: $1) }
  }

  /// The moments of the values of all processes; the shapes must agree.
  public func merged(_ moments: Moments) throws(ProcessGroupError) -> Moments {
    let all = try gathered(moments)
    var whole = all[0]
    for (rank, part) in all.enumerated().dropFirst() {
      guard let both = whole.merged(with: part) else {
        throw ProcessGroupError(
          "merged(_:)", "rank \(rank) has moments of shape \(part.shape), rank 0 of \(whole.shape)",
          ranks: [rank])
      }
      whole = both
    }
    return whole
  }

  /// The distribution of the values of all processes.
  public func merged(
    _ distribution: ValueDistribution
  ) throws(ProcessGroupError) -> ValueDistribution {
    let all = try gathered(distribution)
    return all.dropFirst().reduce(all[0]) { $0.merged(with: $1) }
  }

  private func encoded(
    _ value: some Encodable, _ call: String
  ) throws(ProcessGroupError) -> [UInt8] {
    do {
      let encoder = JSONEncoder()
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      return Array(try encoder.encode([value]))
    } catch {
      throw ProcessGroupError(call, "\(type(of: value)) cannot be encoded: \(error)")
    }
  }

  private func decoded<Value: Decodable>(
    _ bytes: [UInt8], _ call: String
  ) throws(ProcessGroupError) -> Value {
    do {
      let decoder = JSONDecoder()
      decoder.nonConformingFloatDecodingStrategy = .convertFromString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      if let value = try decoder.decode([Value].self, from: Data(bytes)).first { return value }
      throw ProcessGroupError(call, "nothing arrived")
    } catch let error as ProcessGroupError {
      throw error
    } catch {
      throw ProcessGroupError(call, "\(Value.self) cannot be decoded: \(error)")
    }
  }
}
