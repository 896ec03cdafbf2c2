/// How the elements of several processes become one. PyTorch: `torch.distributed.ReduceOp`.
public enum ReduceOperation: String, Sendable, Hashable, Codable {
  /// The sum; for `bool`, whether any is true.
  case sum
  /// The sum divided by the number of processes; for real types.
  case mean
  /// The product; for `bool`, whether all are true.
  case product
  /// The smallest.
  case min
  /// The largest.
  case max
}
