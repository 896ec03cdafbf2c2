import NormaNN
import NormaTensor

extension NonFinite {
  /// The NaN and infinite values of two layers in a comparison: those of the input and of the
  /// layers' state; if there are none, those of the results.
  static func compared(
    _ first: any Layer, _ second: any Layer, on x: Tensor, results: (Tensor, Tensor)
  ) -> [NonFinite] {
    func scan(_ tensor: Tensor, _ name: String, axis: Int) -> NonFinite? {
      let hasChannels = tensor.rank > axis
      return NonFiniteScan(tensor, named: name, channelAxis: hasChannels ? axis : nil)
        .map { overflowing($0.found, tensor.dtype) }
    }
    var found = [scan(x, "input", axis: 1)].compactMap { $0 }
    for (layer, whose) in [(first, "first"), (second, "second")] {
      for (name, value) in layer.stateDict().sorted(by: { $0.key < $1.key })
      where value.dtype.isFloatingPoint {
        found += [scan(value, "\(whose) layer's \(name)", axis: 0)].compactMap { $0 }
      }
    }
    if !found.isEmpty { return found }
    for (result, whose) in [(results.0, "first"), (results.1, "second")] {
      found += [scan(result, "\(whose) layer's result", axis: 1)].compactMap { $0 }
    }
    return found
  }

  /// The same with the type that may have overflowed.
  private static func overflowing(_ found: NonFinite, _ type: DType) -> NonFinite {
    guard found.infiniteCount > 0, let limit = type.limit else { return found }
    return found.because(
      .init(
        overflow: type == .float32 ? nil : "\(type)",
        reason: type == .float32
          ? "If it comes from a file in float16: that ends at 65,504."
          : "\(type) ends at \(limit.words): it has overflowed."))
  }
}
