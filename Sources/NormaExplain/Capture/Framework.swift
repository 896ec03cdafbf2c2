extension NetworkCapture {
  /// The framework that a network is written in, and that advice gives code for.
  public enum Framework: String, Sendable, Hashable, Codable, CaseIterable {
    /// PyTorch.
    case pytorch
    /// Keras 3.
    case keras
    /// Flax NNX.
    case flax
    /// Norma itself.
    case norma

    /// The framework named in a capture: `torch 2.13.0+cpu`, `keras 3.15.1, jax`. PyTorch if the
    /// name is unknown, as captures use its terms.
    public init(named text: String) {
      let word = text.lowercased().prefix { $0.isLetter }
      self = NetworkCapture.Framework(rawValue: String(word)) ?? .pytorch
    }

    /// The display name: `PyTorch`.
    public var title: String {
      switch self {
      case .pytorch: "PyTorch"
      case .keras: "Keras"
      case .flax: "Flax"
      case .norma: "Norma"
      }
    }

    /// Whether its momentum is the share of the old value, 0.99, rather than of the new batch,
    /// 0.01.
    public var momentumIsOfOldValue: Bool { self == .keras || self == .flax }
  }
}

extension NetworkCapture {
  /// The framework that the network is written in.
  public var language: NetworkCapture.Framework { NetworkCapture.Framework(named: framework) }
}
