import NormaTensor

/// Which samples of a dataset make an epoch of a ``DataLoader``, and in which order.
///
/// There may be fewer samples than the dataset has, or more. PyTorch: `torch.utils.data.Sampler`.
public protocol Sampler: Sendable {
  /// The number of samples of an epoch, for a dataset of `total`.
  func count(of total: Int) -> Int

  /// The samples of an epoch, `count(of: total)` numbers in `0 ..< total`.
  ///
  /// Draws come from `generator`, so that a restored loader finds the same order.
  func samples(of total: Int, drawing generator: inout Generator) -> [Int]

  /// The same for samplers whose order follows from the number of the epoch, from 0, instead of draws. A
  /// loader calls this one.
  func samples(of total: Int, epoch: Int, drawing generator: inout Generator) -> [Int]
}

extension Sampler {
  /// `samples(of:drawing:)`; most samplers need no number.
  public func samples(of total: Int, epoch: Int, drawing generator: inout Generator) -> [Int] {
    samples(of: total, drawing: &generator)
  }
}

/// A sampler from a function.
///
///     DataLoader(data, sampler: SampleOrder(count: 100) { total, generator in
///       withGenerator(&generator) { Tensor.randint([100], low: 0, high: total).array(of: Int.self) }
///     })
public struct SampleOrder: Sampler {
  private let count: Int?
  private let body: @Sendable (Int, inout Generator) -> [Int]

  /// The samples that `body` chooses; `count` of them, or as many as the dataset has.
  public init(
    count: Int? = nil, _ body: @escaping @Sendable (_ total: Int, inout Generator) -> [Int]
  ) {
    self.count = count
    self.body = body
  }

  /// The number of samples of an epoch.
  public func count(of total: Int) -> Int { count ?? total }

  /// The samples of an epoch.
  public func samples(of total: Int, drawing generator: inout Generator) -> [Int] {
    body(total, &generator)
  }
}
