import NormaTensor

/// The choice and order of the samples in an epoch of a ``DataLoader``.
///
/// An epoch may have fewer or more samples than the dataset. PyTorch: `torch.utils.data.Sampler`.
public protocol Sampler: Sendable {
  /// The number of samples in an epoch over a dataset of `total` samples.
  func count(of total: Int) -> Int

  /// The samples of an epoch, `count(of: total)` numbers in `0 ..< total`.
  ///
  /// Random draws come from `generator`, so that a restored loader gets the same order.
  func samples(of total: Int, drawing generator: inout Generator) -> [Int]

  /// The samples of an epoch, for samplers whose order depends on the number of the epoch, starting
  /// at 0, rather than on draws. Loaders call this method.
  func samples(of total: Int, epoch: Int, drawing generator: inout Generator) -> [Int]
}

extension Sampler {
  /// Calls `samples(of:drawing:)`, as most samplers ignore the epoch's number.
  public func samples(of total: Int, epoch: Int, drawing generator: inout Generator) -> [Int] {
    samples(of: total, drawing: &generator)
  }
}

/// A sampler made from a function.
///
///     DataLoader(data, sampler: SampleOrder(count: 100) { total, generator in
///       withGenerator(&generator) {
///         Tensor.randint([100], low: 0, high: total).array(of: Int.self)
///       }
///     })
public struct SampleOrder: Sampler {
  private let count: Int?
  private let body: @Sendable (Int, inout Generator) -> [Int]

  /// The samples that `body` returns: `count` of them, or as many as the dataset has.
  public init(
    count: Int? = nil, _ body: @escaping @Sendable (_ total: Int, inout Generator) -> [Int]
  ) {
    self.count = count
    self.body = body
  }

  /// The number of samples in an epoch.
  public func count(of total: Int) -> Int { count ?? total }

  /// The samples of an epoch.
  public func samples(of total: Int, drawing generator: inout Generator) -> [Int] {
    body(total, &generator)
  }
}
