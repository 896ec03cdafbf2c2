import NormaTensor

/// Keys and values of earlier positions, for a network that generates one position after the
/// other: each call of a layer adds its own. One cache for each layer.
///
/// Its memory grows to twice its size when it is full, so that a step writes its own positions and
/// copies none of those before.
public final class KeyValueCache {
  /// The number of positions.
  public private(set) var count = 0
  /// `[N, heads, capacity, D]`, of which `count` positions are used.
  private var rooms: (keys: Tensor, values: Tensor)?
  private let minimumCapacity: Int

  /// An empty cache, with memory for at least `minimumCapacity` positions from the first call on.
  public init(minimumCapacity: Int = 0) { self.minimumCapacity = minimumCapacity }

  /// `[N, heads, S, D]`; nil before the first call. A view of the cache's memory: while it is
  /// kept, the next call has to copy everything.
  public var keys: Tensor? { rooms.map { used($0.keys) } }

  /// `[N, heads, S, D]`, like ``keys``.
  public var values: Tensor? { rooms.map { used($0.values) } }

  /// Forgets all positions, and returns their memory.
  public func removeAll() { (rooms, count) = (nil, 0) }

  /// Adds positions and returns all.
  ///
  /// - Cost: a copy of the new positions. If gradients are recorded, a copy of all of them.
  public func adding(
    keys newKeys: Tensor, values newValues: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> (keys: Tensor, values: Tensor) {
    var all: (keys: Tensor, values: Tensor) = (.poisoned, .poisoned)
    _ = checked(file: file, line: line, call: "KeyValueCache.adding(keys:values:)") {
      () throws(TensorError) in
      if newKeys.isPoisoned || newValues.isPoisoned { return .poisoned }
      try add(newKeys, newValues)
      if let rooms { all = (used(rooms.keys), used(rooms.values)) }
      return all.keys
    }
    return all
  }

  private func add(_ newKeys: Tensor, _ newValues: Tensor) throws(TensorError) {
    try check(newKeys, newValues)
    let total = count + newKeys.shape[2]
    let isRecorded = [newKeys, newValues, rooms?.keys, rooms?.values]
      .contains { $0?.hasHistory == true }
    if isRecorded {
      rooms = (joined(keys, newKeys), joined(values, newValues))
    } else {
      reserve(total, newKeys, newValues)
      rooms?.keys[0..., 0..., count..<total] = newKeys
      rooms?.values[0..., 0..., count..<total] = newValues
    }
    count = total
  }

  private func used(_ room: Tensor) -> Tensor {
    room.shape[2] == count ? room : room.narrowed(over: 2, from: 0, count: count)
  }

  private func joined(_ old: Tensor?, _ new: Tensor) -> Tensor {
    old.map { Tensor.concatenated([$0, new], over: 2) } ?? new
  }

  /// Memory for that many positions.
  private func reserve(_ total: Int, _ newKeys: Tensor, _ newValues: Tensor) {
    let capacity = rooms?.keys.shape[2] ?? 0
    if total <= capacity && rooms != nil { return }
    func room(_ new: Tensor, _ old: Tensor?) -> Tensor {
      var shape = new.shape
      shape[2] = max(total, 2 * capacity, minimumCapacity)
      var room = Tensor.zeros(shape, dtype: new.dtype).evaluated()
      if let old { room[0..., 0..., ..<count] = old }
      return room
    }
    rooms = (room(newKeys, keys), room(newValues, values))
  }

  private func check(_ newKeys: Tensor, _ newValues: Tensor) throws(TensorError) {
    func fits(_ new: Tensor, _ room: Tensor?) -> Bool {
      guard new.rank == 4, let room else { return new.rank == 4 }
      return new.dtype == room.dtype && new.shape[0] == room.shape[0]
        && new.shape[1] == room.shape[1] && new.shape[3] == room.shape[3]
    }
    guard fits(newKeys, rooms?.keys), fits(newValues, rooms?.values),
      newKeys.shape[2] == newValues.shape[2]
    else {
      let there = rooms.map {
        "; there are \(count) positions of keys \($0.keys.dtype) \($0.keys.shape) and values "
          + "\($0.values.shape)"
      }
      throw TensorError(
        "KeyValueCache.adding(keys:values:)",
        "keys \(newKeys.dtype) \(newKeys.shape) and values \(newValues.dtype) "
          + "\(newValues.shape) are not [N, heads, positions, D] that fit together\(there ?? "")")
    }
  }
}
