/// A compiled form that reads weights in a memory order of oneDNN's own.
package protocol WeightsPacking: AnyObject, Sendable {
  /// Bytes of the packed weights; 0 if they are read as they are given.
  var packedByteCount: Int { get }

  /// Writes the weights in that order.
  func pack(
    _ weights: UnsafeRawPointer, into packed: UnsafeMutableRawPointer) throws(OneDNNError)

  /// Whether weights packed for the other form are packed for this one, too.
  func packsLike(_ other: any WeightsPacking) -> Bool
}
