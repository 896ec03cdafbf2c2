import NormaOneDNN
import Synchronization

/// Weights in the memory orders that oneDNN prefers, kept as long as the memory that they were read
/// from: networks in evaluation use the same weights again and again. Convolutions of images of
/// different sizes, and products of batches of different sizes, mostly share an order.
final class PackedWeights: Sendable {
  private struct Entry: Sendable {
    let form: any WeightsPacking
    let offset: Int
    /// Nil after the first use: the weights of a training step are used only once.
    var storage: Storage?
  }

  /// The second operand of a product.
  private struct Matrix: Equatable {
    let offset: Int
    let stored: StoredMatrix
    let size: [Int]
  }

  private struct State {
    var entries: [Entry] = []
    /// What was multiplied without being packed.
    var matrices: [Matrix] = []
  }

  /// The orders of the same weights that are kept.
  private static let most = 4

  private let state = Mutex(State())

  /// The weights for a compiled form; `pack` makes them if they are not kept yet.
  ///
  /// - Parameter isRepeated: whether they are known to be used again, and kept from now on.
  func storage(
    for form: any WeightsPacking, from offset: Int, isRepeated: Bool,
    pack: () throws(OneDNNError) -> Storage
  ) throws(OneDNNError) -> Storage {
    let known = state.withLock { state -> Entry? in
      state.entries.first { $0.offset == offset && $0.form.packsLike(form) }
    }
    if let kept = known?.storage { return kept }
    let storage = try pack()
    let isKept = isRepeated || known != nil
    let entry = Entry(form: form, offset: offset, storage: isKept ? storage : nil)
    state.withLock { state in
      state.entries.removeAll { $0.offset == offset && $0.form.packsLike(form) }
      if state.entries.count == PackedWeights.most { state.entries.removeFirst() }
      state.entries.append(entry)
    }
    return storage
  }

  /// Whether a product has read this matrix before.
  func isRepeated(_ plan: MatrixProduct, from offset: Int) -> Bool {
    let matrix = Matrix(offset: offset, stored: plan.b, size: [plan.k, plan.n])
    return state.withLock { state in
      if state.matrices.contains(matrix) { return true }
      if state.matrices.count == PackedWeights.most { state.matrices.removeFirst() }
      state.matrices.append(matrix)
      return false
    }
  }
}

extension Storage {
  /// These weights in the order of a compiled form, kept from an earlier use or packed now.
  ///
  /// - Parameters:
  ///   - offset: the first of them in this memory, in elements.
  ///   - weights: its address.
  ///   - isRepeated: whether they are known to be used again.
  func packed(
    for form: any WeightsPacking, from offset: Int, at weights: UnsafeRawPointer,
    isRepeated: Bool = false
  ) throws(OneDNNError) -> (storage: Storage, isNew: Bool) {
    // Weights that a recorded call makes would have to be packed in each call.
    if KernelRecorder.isAnyOpen { KernelRecorder.noteUse(of: self) }
    var isNew = false
    let storage = try packedWeights.storage(for: form, from: offset, isRepeated: isRepeated) {
      () throws(OneDNNError) in
      let layout = Layout(contiguous: [form.packedByteCount])
      let room = KernelRecorder.outside { try? Storage.room(layout, .uint8, "") }
      guard let storage = room else { throw .outOfMemory }
      try form.pack(weights, into: storage.address)
      isNew = true
      return storage
    }
    return (storage, isNew)
  }

  /// A compiled product that reads this matrix packed, with the packed matrix; nil if packing does
  /// not pay, as at its first use.
  func packed(
    for plan: MatrixProduct, from offset: Int, at matrix: UnsafeRawPointer
  ) throws(OneDNNError) -> (product: CompiledProduct, matrix: Storage, isNew: Bool)? {
    guard plan.isPacked, packedWeights.isRepeated(plan, from: offset),
      let product = CompiledProduct.of(packing: plan)
    else { return nil }
    let (storage, isNew) = try packed(for: product, from: offset, at: matrix, isRepeated: true)
    return (product, storage, isNew)
  }
}
