import NormaTensor

/// The positions of a tensor's NaN and infinite values.
struct NonFiniteScan {
  let found: NonFinite
  /// Row-major offsets of all of them.
  let offsets: [Int]
  let shape: [Int]

  /// - Returns: nil if all values are finite, which takes one pass over them.
  init?(_ tensor: Tensor, named name: String, channelAxis: Int?) {
    if (tensor.cast(to: .float64) * 0).sum().item() == 0 { return nil }
    let values = tensor.array(of: Double.self)
    let offsets = values.indices.filter { !values[$0].isFinite }
    guard let first = offsets.first else { return nil }
    let shape = tensor.shape
    let channels: [Int] =
      channelAxis.map { axis in
        Set(offsets.map { Self.index($0, of: shape)[axis] }).sorted()
      } ?? []
    let index = Self.index(first, of: shape)
    found = NonFinite(
      tensor: name, nanCount: offsets.count { values[$0].isNaN },
      infiniteCount: offsets.count { values[$0].isInfinite }, index: index,
      channel: channelAxis.map { index[$0] }, channels: channels)
    self.offsets = offsets
    self.shape = shape
  }

  /// The same for a parameter or buffer of a layer, with one number per channel if it has channels.
  init?(_ values: [Double]?, named name: String, hasChannels: Bool) {
    guard let values, !values.allSatisfy(\.isFinite) else { return nil }
    self.init(
      Tensor(values, shape: [values.count]), named: name, channelAxis: hasChannels ? 0 : nil)
  }

  /// Their indices along an axis.
  func places(along axis: Int) -> Set<Int> {
    Set(offsets.map { Self.index($0, of: shape)[axis] })
  }

  static func index(_ offset: Int, of shape: [Int]) -> [Int] {
    var (rest, index) = (offset, [Int]())
    for size in shape.reversed() {
      index.append(rest % size)
      rest /= size
    }
    return index.reversed()
  }
}

extension DType {
  /// The largest finite number, in a familiar form; nil for types that never overflow in practice.
  var limit: (value: Double, words: String)? {
    switch self {
    case .float16: (65504, "65,504")
    case .bfloat16: (0x1.FEp127, "3.39e38")
    case .float32: (Double(Float.greatestFiniteMagnitude), "3.40e38")
    default: nil
    }
  }
}
