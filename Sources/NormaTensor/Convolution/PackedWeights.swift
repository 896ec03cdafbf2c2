import NormaOneDNN
import Synchronization

/// Weights in the orders that oneDNN's convolutions want, kept beside the memory they were read from for as long
/// as that lives: they do not change, and networks that are evaluated use them again and again.
final class PackedWeights: Sendable {
  private struct Entry: Sendable {
    let convolution: CompiledConvolution
    let offset: Int
    /// Nil after the first use: weights of training are used once.
    var storage: Storage?
  }

  /// More than one compiled convolution reads the same weights where batches have different sizes.
  private static let most = 4

  private let entries = Mutex<[Entry]>([])

  /// The weights for a convolution: `pack` makes them where they are not kept.
  func storage(
    for convolution: CompiledConvolution, from offset: Int,
    pack: () throws(OneDNNError) -> Storage
  ) throws(OneDNNError) -> Storage {
    let known = entries.withLock { entries -> Entry? in
      entries.first { $0.convolution === convolution && $0.offset == offset }
    }
    if let kept = known?.storage { return kept }
    let storage = try pack()
    let entry = Entry(
      convolution: convolution, offset: offset, storage: known == nil ? nil : storage)
    entries.withLock { entries in
      entries.removeAll { $0.convolution === convolution && $0.offset == offset }
      if entries.count == PackedWeights.most { entries.removeFirst() }
      entries.append(entry)
    }
    return storage
  }
}
