/// A part of a convolution's results that is computed in one pass: whole images, or rows of one
/// image along the first spatial axis.
struct ConvolutionPart: Equatable {
  let images: Range<Int>
  let rows: Range<Int>

  init(images: Range<Int>, rows: Range<Int>) {
    (self.images, self.rows) = (images, rows)
  }

  /// All results.
  init(whole shape: ConvolutionShape) {
    (images, rows) = (0..<shape.destination[0], 0..<shape.destination[2])
  }

  /// The parts, of about `most` bytes.
  ///
  /// Images that fit run together, at most `images`, divided as evenly as possible, larger parts
  /// first. Images of more than two parts are divided into rows, of which only the last part may
  /// have fewer.
  static func all(
    of shape: ConvolutionShape, rowBytes: Int, most: Int, images: Int = .max
  ) -> [ConvolutionPart] {
    let (count, rows) = (shape.destination[0], shape.destination[2])
    let whole = 0..<rows
    if rowBytes * rows > 2 * most {
      let height = max(most / rowBytes, Limits.convolutionRows)
      let number = (rows + height - 1) / height
      let step = (rows + number - 1) / number
      let parts = stride(from: 0, to: rows, by: step).map { $0..<min($0 + step, rows) }
      let pieces = parts.map { ConvolutionPart(images: 0..<1, rows: $0) }
      // A part that sees nothing but padding has no source.
      if parts.count > 1, pieces.allSatisfy({ shape.window(of: $0).shape.source[2] > 0 }) {
        return (0..<count).flatMap { image in
          parts.map { ConvolutionPart(images: image..<image + 1, rows: $0) }
        }
      }
    }
    let together = min(max(most / (rowBytes * rows), 1), images)
    let number = (count + together - 1) / together
    let (size, larger) = count.quotientAndRemainder(dividingBy: number)
    return (0..<number).map { part in
      let first = part * size + min(part, larger)
      return ConvolutionPart(images: first..<first + size + (part < larger ? 1 : 0), rows: whole)
    }
  }
}

extension ConvolutionShape {
  /// The convolution that computes a part, and the first row of the source that it reads.
  func window(of part: ConvolutionPart) -> (shape: ConvolutionShape, first: Int) {
    let hasAllRows = part.rows.count == destination[2]
    if hasAllRows && part.images.count == destination[0] { return (self, 0) }
    var window = self
    window.source[0] = part.images.count
    window.destination[0] = part.images.count
    if hasAllRows { return (window, 0) }
    let first = part.rows.lowerBound * stride[0] - before[0]
    let reach = dilation[0] * (weights[2] - 1) + 1
    let end = (part.rows.upperBound - 1) * stride[0] - before[0] + reach
    let rows = max(first, 0)..<max(min(end, source[2]), max(first, 0))
    window.source[2] = rows.count
    window.destination[2] = part.rows.count
    window.before[0] = rows.lowerBound - first
    window.after[0] = end - rows.upperBound
    return (window, rows.lowerBound)
  }
}
