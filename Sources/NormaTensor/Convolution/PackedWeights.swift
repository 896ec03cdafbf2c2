import NormaOneDNN
import Synchronization

/// Weights in the memory orders that oneDNN's convolutions prefer, kept as long as the memory that
/// they were read from: that memory never changes, and networks in evaluation use the same weights
/// again and again. Convolutions of images of different sizes mostly share an order.
final class PackedWeights: Sendable {
  private struct Entry: Sendable {
    let convolution: CompiledConvolution
    let offset: Int
    /// Nil after the first use: the weights of a training step are used only once.
    var storage: Storage?
  }

  /// The orders of the same weights that are kept.
  private static let most = 4

  private let entries = Mutex<[Entry]>([])

  /// The weights for a convolution; `pack` makes them if they are not kept yet.
  func storage(
    for convolution: CompiledConvolution, from offset: Int,
    pack: () throws(OneDNNError) -> Storage
  ) throws(OneDNNError) -> Storage {
    let known = entries.withLock { entries -> Entry? in
      entries.first { $0.offset == offset && $0.convolution.packsLike(convolution) }
    }
    if let kept = known?.storage { return kept }
    let storage = try pack()
    let entry = Entry(
      convolution: convolution, offset: offset, storage: known == nil ? nil : storage)
    entries.withLock { entries in
      entries.removeAll { $0.offset == offset && $0.convolution.packsLike(convolution) }
      if entries.count == PackedWeights.most { entries.removeFirst() }
      entries.append(entry)
    }
    return storage
  }
}
