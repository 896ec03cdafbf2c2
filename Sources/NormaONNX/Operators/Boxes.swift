import NormaTensor

extension OperatorTable {
  /// Operators on boxes in images.
  static var boxes: Entries {
    ["NonMaxSuppression": nonMaxSuppression, "RoiAlign": roiAlign]
  }

  /// The best boxes of each class that do not overlap better ones.
  private static func nonMaxSuppression(_ node: NodeContext) throws -> GraphPlan.Run {
    let hasCenters = try node.flag("center_point_box")
    return { operands in
      let (boxes, scores) = try (operands.tensor(0), operands.tensor(1))
      guard boxes.rank == 3, boxes.shape[2] == 4, scores.rank == 3,
        scores.shape[2] == boxes.shape[1]
      else { throw operands.failure("shapes \(boxes.shape) and \(scores.shape)") }
      let most = operands.integers(2)?.first ?? 0
      let overlap = try operands.number(3) ?? 0
      let least = try operands.number(4)
      let (corners, values) = (boxes.array(of: Float.self), scores.array(of: Float.self))
      let count = boxes.shape[1]
      func box(_ batch: Int, _ index: Int) -> Box {
        let start = (batch * count + index) * 4
        return Box(Array(corners[start..<start + 4]), hasCenter: hasCenters)
      }
      var found: [Int64] = []
      for batch in 0..<scores.shape[0] {
        for kind in 0..<scores.shape[1] {
          let start = (batch * scores.shape[1] + kind) * count
          let order = (0..<count).filter { index in
            least.map { Double(values[start + index]) > $0 } ?? true
          }.sorted { (values[start + $0], $1) > (values[start + $1], $0) }
          var kept: [Int] = []
          for index in order where kept.count < most {
            let candidate = box(batch, index)
            if kept.allSatisfy({ Double(candidate.overlap(box(batch, $0))) <= overlap }) {
              kept.append(index)
              found += [Int64(batch), Int64(kind), Int64(index)]
            }
          }
        }
      }
      return [.tensor(Tensor(found, shape: [found.count / 3, 3]))]
    }
  }

  /// Means or maxima of samples in the cells of boxes.
  private static func roiAlign(_ node: NodeContext) throws -> GraphPlan.Run {
    let mode = try node.string("mode", "avg")
    let (height, width) = try (node.int("output_height", 1), node.int("output_width", 1))
    let (ratio, scale) = try (node.int("sampling_ratio", 0), node.float("spatial_scale", 1))
    let usual = node.opset < 16 ? "output_half_pixel" : "half_pixel"
    let coordinates = try node.string("coordinate_transformation_mode", usual)
    try node.require(["avg", "max"].contains(mode), "mode \(mode)")
    let isSmall = (1...4096).contains(height) && (1...4096).contains(width)
    try node.require(isSmall && (0...4096).contains(ratio), "\(height) by \(width) cells")
    return { operands in
      let (x, rois) = try (operands.tensor(0), operands.tensor(1))
      let batches = try operands.value(2).integers
      guard x.rank == 4, rois.rank == 2, rois.shape[1] == 4, batches.count == rois.shape[0],
        batches.allSatisfy({ (0..<x.shape[0]).contains($0) })
      else { throw operands.failure("shapes \(x.shape) and \(rois.shape)") }
      let image = Image(values: x.array(of: Double.self), shape: x.shape)
      let corners = rois.array(of: Double.self)
      let shift = coordinates == "half_pixel" ? 0.5 : 0
      var result: [Double] = []
      for (index, batch) in batches.enumerated() {
        let (x1, y1) = (corners[4 * index] * scale - shift, corners[4 * index + 1] * scale - shift)
        var w = corners[4 * index + 2] * scale - shift - x1
        var h = corners[4 * index + 3] * scale - shift - y1
        if shift == 0 { (w, h) = (max(w, 1), max(h, 1)) }
        let (cellH, cellW) = (h / Double(height), w / Double(width))
        guard cellH.magnitude < 4096, cellW.magnitude < 4096 else {
          throw operands.failure("a box of \(h) by \(w)")
        }
        let rows = ratio > 0 ? ratio : max(Int(cellH.rounded(.up)), 1)
        let columns = ratio > 0 ? ratio : max(Int(cellW.rounded(.up)), 1)
        for channel in 0..<x.shape[1] {
          for cell in 0..<height * width {
            var samples: [Double] = []
            for sample in 0..<rows * columns {
              let (row, column) = (sample / columns, sample % columns)
              let y =
                y1 + (Double(cell / width) + (Double(row) + 0.5) / Double(rows)) * cellH
              let x =
                x1 + (Double(cell % width) + (Double(column) + 0.5) / Double(columns)) * cellW
              samples.append(image.value(batch, channel, y, x, isLargest: mode == "max"))
            }
            result.append(
              mode == "max"
                ? samples.max() ?? 0 : samples.reduce(0, +) / Double(samples.count))
          }
        }
      }
      let shape = [batches.count, x.shape[1], height, width]
      return [.tensor(Tensor(result, shape: shape).cast(to: x.dtype))]
    }
  }
}

/// A box between two corners.
private struct Box {
  let y: ClosedRange<Float>
  let x: ClosedRange<Float>

  /// Any two opposite corners (y, x), or a center (x, y) with width and height.
  init(_ v: [Float], hasCenter: Bool) {
    let (y1, y2, x1, x2) =
      hasCenter
      ? (v[1] - v[3] / 2, v[1] + v[3] / 2, v[0] - v[2] / 2, v[0] + v[2] / 2)
      : (v[0], v[2], v[1], v[3])
    func range(_ a: Float, _ b: Float) -> ClosedRange<Float> {
      a.isNaN || b.isNaN ? 0...0 : min(a, b)...max(a, b)
    }
    (y, x) = (range(y1, y2), range(x1, x2))
  }

  private var area: Float { (y.upperBound - y.lowerBound) * (x.upperBound - x.lowerBound) }

  /// The shared area as a share of both together.
  func overlap(_ other: Box) -> Float {
    let height = min(y.upperBound, other.y.upperBound) - max(y.lowerBound, other.y.lowerBound)
    let width = min(x.upperBound, other.x.upperBound) - max(x.lowerBound, other.x.lowerBound)
    if height <= 0 || width <= 0 { return 0 }
    return height * width / (area + other.area - height * width)
  }
}

/// Images whose values are read between their elements.
private struct Image {
  let values: [Double]
  let shape: [Int]

  /// The interpolated value, or the largest share of a neighbor; 0 further than 1 outside.
  func value(
    _ batch: Int, _ channel: Int, _ y: Double, _ x: Double, isLargest: Bool
  ) -> Double {
    let (height, width) = (shape[2], shape[3])
    guard y >= -1, y <= Double(height), x >= -1, x <= Double(width) else { return 0 }
    func neighbors(_ position: Double, _ length: Int) -> (Int, Int, Double) {
      let inside = max(position, 0)
      let low = Int(inside)
      if low >= length - 1 { return (length - 1, length - 1, 0) }
      return (low, low + 1, inside - Double(low))
    }
    let (top, bottom, v) = neighbors(y, height)
    let (left, right, u) = neighbors(x, width)
    let start = (batch * shape[1] + channel) * height
    func at(_ row: Int, _ column: Int) -> Double { values[(start + row) * width + column] }
    let parts = [
      (1 - v) * (1 - u) * at(top, left), (1 - v) * u * at(top, right),
      v * (1 - u) * at(bottom, left), v * u * at(bottom, right),
    ]
    return isLargest ? parts.max() ?? 0 : parts.reduce(0, +)
  }
}
