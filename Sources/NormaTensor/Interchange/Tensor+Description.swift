#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Tensor: CustomStringConvertible {
  /// The elements as PyTorch prints them: four decimals, aligned, summarized above 1,000 elements,
  /// with `requiresGrad=True` if gradients flow through the tensor. A tensor without axes prints as
  /// its number.
  public var description: String {
    if isPoisoned { return "poisoned tensor" }
    let printed = count > TensorText.threshold ? corners() : self
    let format = TensorText(printed)
    if rank == 0 { return format.texts(of: self)[0] }
    if count == 0 {
      let shapeSuffix = rank == 1 ? "" : ", shape=\(shape)"
      let type = dtype == .float32 ? "" : ", dtype=\(dtype)"
      return "tensor([]\(shapeSuffix)\(type)\(gradientSuffix))"
    }
    let body = format.rows(of: self, indent: "tensor(".count)
    return "tensor(\(body)\(typeSuffix)\(gradientSuffix))"
  }

  /// float32, int64 and bool are the types of literals and are omitted.
  private var typeSuffix: String {
    switch dtype {
    case .float32, .int64, .bool: ""
    default: ", dtype=\(dtype)"
    }
  }

  /// The elements shown in a summary: three at each end of every axis.
  private func corners() -> Tensor {
    var (values, integers): ([Double], [Int64]) = ([], [])
    func collect(_ tensor: Tensor) {
      if tensor.rank == 0 {
        // Doubles would round large integers.
        if dtype.isInteger {
          integers.append(tensor.item(as: Int64.self))
        } else {
          values.append(tensor.item())
        }
      } else {
        for index in TensorText.shownIndices(tensor.shape[0]) {
          if let index { collect(tensor[index]) }
        }
      }
    }
    collect(self)
    return (dtype.isInteger ? Tensor(integers) : Tensor(values)).cast(to: dtype)
  }

  /// One line: type, shape, mean, standard deviation (of more than one value), range, and the
  /// number of values that are NaN or infinite; the statistics are those of the finite values.
  ///
  ///     float32 [6, 64, 224, 224] mean 0.5 std 0.2887 range 0 ... 1
  public var summary: String {
    if isPoisoned { return "poisoned tensor" }
    var text = "\(dtype) \(shape)"
    if count == 0 { return text + " empty" }
    let values = cast(to: dtype == .float64 ? .float64 : .float32)
    let finite = values.abs() .< Double.infinity
    let missing = Int((values .!= values).sum().item())
    let infinite = count - missing - Int(finite.sum().item())
    let n = Double(count - missing - infinite)
    if n > 0 {
      let kept = Tensor.where(finite, values, 0).cast(to: .float64)
      let mean = kept.sum().item() / n
      let squares = Tensor.where(finite, (values.cast(to: .float64) - mean).squared(), 0)
      let low = Tensor.where(finite, values, Double.infinity).min().item()
      let high = Tensor.where(finite, values, -Double.infinity).max().item()
      text += " mean \(TensorText.short(mean))"
      // A single value has none.
      if n > 1 {
        text += " std \(TensorText.short((squares.sum().item() / (n - 1)).squareRoot()))"
      }
      text += " range \(TensorText.short(low)) ... \(TensorText.short(high))"
    }
    if missing > 0 { text += " nan \(missing)" }
    if infinite > 0 { text += " inf \(infinite)" }
    return text
  }
}

/// How the numbers of one tensor are written: with or without decimals or an exponent, and how
/// wide.
struct TensorText {
  static let threshold = 1000
  static let edge = 3
  static let lineWidth = 80

  private enum Style { case integer, wholeReal, decimal, scientific, truth }
  private let style: Style
  private let width: Int

  /// Chosen as in PyTorch: an exponent if the largest number is over 1,000 times the smallest, or
  /// over 10⁸, or if the smallest is under 10⁻⁴.
  init(_ tensor: Tensor) {
    if tensor.dtype.isInteger {
      style = .integer
      width = TensorText.integers(tensor).map(\.count).max() ?? 0
      return
    }
    let values = tensor.array(of: Double.self)
    var style = Style.truth
    if tensor.dtype.isFloatingPoint {
      let sizes = values.filter { $0.isFinite && $0 != 0 }.map { abs($0) }
      let (low, high) = (sizes.min() ?? 0, sizes.max() ?? 0)
      let isWhole = sizes.allSatisfy { $0 == $0.rounded() }
      let isWide = !sizes.isEmpty && (high / low > 1000 || high > 1e8 || !isWhole && low < 1e-4)
      style = isWide ? .scientific : isWhole ? .wholeReal : .decimal
    }
    self.style = style
    // As in PyTorch the width of a real column is that of its finite numbers other than zero.
    let wide = tensor.dtype.isFloatingPoint ? values.filter { $0.isFinite && $0 != 0 } : values
    width = wide.map { TensorText.plain($0, style).count }.max() ?? 0
  }

  /// The elements of a tensor of the same type.
  func texts(of tensor: Tensor) -> [String] {
    style == .integer
      ? TensorText.integers(tensor)
      : tensor.array(of: Double.self).map { TensorText.plain($0, style) }
  }

  private static func integers(_ tensor: Tensor) -> [String] {
    tensor.dtype == .uint64
      ? tensor.array(of: UInt64.self).map { "\($0)" }
      : tensor.array(of: Int64.self).map { "\($0)" }
  }

  private static func plain(_ value: Double, _ style: Style) -> String {
    if value.isNaN && style != .truth { return "nan" }
    if value.isInfinite { return value < 0 ? "-inf" : "inf" }
    switch style {
    case .truth: return value != 0 ? "True" : "False"
    case .integer: return printed("%.0f", value)
    case .wholeReal: return printed("%.0f.", value)
    case .decimal: return printed("%.4f", value)
    case .scientific: return printed("%.4e", value)
    }
  }

  /// Four significant digits.
  static func short(_ value: Double) -> String { printed("%.4g", value) }

  private static func printed(_ format: String, _ value: Double) -> String {
    withVaList([value]) { arguments in
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
        let length = vsnprintf(buffer.baseAddress, buffer.count, format, arguments)
        return String(decoding: buffer.prefix(Int(length)).map(UInt8.init), as: UTF8.self)
      }
    }
  }

  /// The indices along an axis that are shown; nil represents the dots between them.
  static func shownIndices(_ size: Int) -> [Int?] {
    if size <= 2 * edge { return (0..<size).map { $0 } }
    return (0..<edge).map { $0 } + [nil] + (size - edge..<size).map { $0 }
  }

  /// Nested brackets, with line breaks as in PyTorch.
  func rows(of tensor: Tensor, indent: Int) -> String {
    let isSummary = tensor.count > TensorText.threshold
    return rows(of: tensor, indent: indent, isSummary)
  }

  private func rows(of tensor: Tensor, indent: Int, _ isSummary: Bool) -> String {
    let size = tensor.shape[0]
    let shown = isSummary ? TensorText.shownIndices(size) : (0..<size).map { $0 }
    if tensor.rank == 1 {
      let texts = texts(of: tensor)
      let cells = shown.map { index in
        guard let index else { return " ..." }
        let text = texts[index]
        return String(repeating: " ", count: max(width - text.count, 0)) + text
      }
      let perLine = max((TensorText.lineWidth - indent) / (width + 2), 1)
      let lines = stride(from: 0, to: cells.count, by: perLine).map {
        cells[$0..<min($0 + perLine, cells.count)].joined(separator: ", ")
      }
      let gap = ",\n" + String(repeating: " ", count: indent + 1)
      return "[" + lines.joined(separator: gap) + "]"
    }
    let parts = shown.map { index in
      index.map { rows(of: tensor[$0], indent: indent + 1, isSummary) } ?? "..."
    }
    let gap = "," + String(repeating: "\n", count: tensor.rank - 1)
    return "[" + parts.joined(separator: gap + String(repeating: " ", count: indent + 1)) + "]"
  }
}
