import Foundation

extension Double {
  /// The number with four significant digits: `0.1235`, `1.234e-06`.
  var shortText: String { String(format: "%.4g", self) }
}
