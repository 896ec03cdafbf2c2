import NormaKernels

/// How ``Tensor/interpolate(_:size:scaleFactor:mode:alignCorners:recomputeScaleFactor:file:line:)``
/// finds values between elements.
public enum InterpolationMode: String, Sendable, Hashable, CaseIterable {
  /// The element at ⌊i n / m⌋.
  case nearest
  /// The element whose center is nearest. PyTorch: `nearest-exact`.
  case nearestExact
  /// Linear interpolation between two elements, for `[N, C, L]`.
  case linear
  /// Linear interpolation between two elements along each axis, for `[N, C, H, W]`.
  case bilinear
  /// Linear interpolation between two elements along each axis, for `[N, C, D, H, W]`.
  case trilinear
  /// A cubic convolution of four elements along each axis (a = -0.75), for `[N, C, H, W]`.
  case bicubic
  /// Means of windows that divide the axis evenly.
  case area
}

/// The interpolation along one axis: a pure value.
struct AxisInterpolation {
  let inputs: Int, outputs: Int
  /// Results per element, if the caller's factor is to be used as given.
  let scale: Double?
  let alignsCorners: Bool
  /// Whether positions are computed in `float32`, as PyTorch does for that type.
  let isSingle: Bool

  func map(_ mode: InterpolationMode) -> AxisMap {
    switch mode {
    case .area: AdaptiveWindows(inputs: inputs, outputs: outputs).means
    case .nearest: single { position($0, offset: 0) }
    case .nearestExact: single { position($0, offset: 0.5) }
    case .linear, .bilinear, .trilinear: linear
    case .bicubic: cubic
    }
  }

  private func single(_ index: (Int) -> Int) -> AxisMap {
    AxisMap(inputs: inputs, outputs: outputs) { [AxisMap.Tap(index($0))] }
  }

  /// ⌊(output + offset) * step⌋, in the type that decides which element it falls on.
  private func position(_ output: Int, offset: Double) -> Int {
    if isSingle {
      let step = scale.map { Float(1 / $0) } ?? Float(inputs) / Float(outputs)
      return min(Int((Float(output) + Float(offset)) * step), inputs - 1)
    }
    let step = scale.map { 1 / $0 } ?? Double(inputs) / Double(outputs)
    return min(Int((Double(output) + offset) * step), inputs - 1)
  }

  /// The position of a result among the elements.
  private func source(_ output: Int) -> Double {
    if alignsCorners {
      return outputs > 1 ? Double(output) * Double(inputs - 1) / Double(outputs - 1) : 0
    }
    let step = scale.map { 1 / $0 } ?? Double(inputs) / Double(outputs)
    return step * (Double(output) + 0.5) - 0.5
  }

  private var linear: AxisMap {
    AxisMap(inputs: inputs, outputs: outputs) { output in
      let source = max(source(output), 0)
      let low = min(Int(source), inputs - 1)
      let high = min(low + 1, inputs - 1)
      let share = min(source - Double(low), 1)
      return low == high
        ? [AxisMap.Tap(low)] : [AxisMap.Tap(low, 1 - share), AxisMap.Tap(high, share)]
    }
  }

  private var cubic: AxisMap {
    AxisMap(inputs: inputs, outputs: outputs) { output in
      let source = source(output)
      let low = source.rounded(.down)
      return (-1...2).map { step in
        let index = min(max(Int(low) + step, 0), inputs - 1)
        return AxisMap.Tap(index, Self.cubicWeight(abs(source - low - Double(step))))
      }
    }
  }

  /// Keys' kernel at a distance, with a = -0.75.
  private static func cubicWeight(_ x: Double) -> Double {
    let a = -0.75
    return x <= 1
      ? ((a + 2) * x - (a + 3)) * x * x + 1 : ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
  }
}

extension Tensor {
  /// Resizes the spatial axes of `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]`.
  ///
  /// Pass either the new `size`, or the `scaleFactor` by which to multiply it (one, or one for each
  /// axis): ⌊length * factor⌋. Result i is at position (i + 1/2) / factor - 1/2 among the elements.
  /// The factor is used as given, or recomputed from the rounded lengths with
  /// `recomputeScaleFactor`. With `alignCorners`, which only the linear and cubic modes accept, the
  /// first and last elements of input and result coincide.
  ///
  /// - Types: real types; positions of `float32` and half types in the `nearest` modes are computed
  ///   in `float32`. Sums run in double along one axis after the other, rounded after each.
  /// - Cost: a read and a write for each axis. Runs eagerly.
  /// - PyTorch: `F.interpolate`, without `antialias`.
  public static func interpolate(
    _ x: Tensor, size: (some ExtentsConvertible)? = Extents?.none, scaleFactor: [Double]? = nil,
    mode: InterpolationMode = .nearest, alignCorners: Bool? = nil,
    recomputeScaleFactor: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(x, file: file, line: line) { () throws(TensorError) in
      let call = "interpolate(_:mode: .\(mode))"
      let space = Array(x.shape.dropFirst(2))
      try checkInterpolation(x, mode, alignCorners, call)
      let (outputs, scales) = try interpolatedSizes(space, size?.asExtents, scaleFactor, call)
      guard outputs.allSatisfy({ $0 > 0 }), x.shape.dropFirst().allSatisfy({ $0 > 0 }) else {
        throw TensorError(call, "shape \(x.shape) cannot be resized to \(outputs)")
      }
      try Shape.space(space, call: call)
      for (inputs, outputs) in zip(space, outputs) {
        try Shape.terms(mode == .area ? inputs + 2 * outputs : outputs, of: inputs, call: call)
      }
      let usesScales = !recomputeScaleFactor
      let maps = space.indices.map { axis in
        AxisInterpolation(
          inputs: space[axis], outputs: outputs[axis], scale: usesScales ? scales?[axis] : nil,
          alignsCorners: alignCorners ?? false, isSingle: x.dtype != .float64
        ).map(mode)
      }
      return Pooling.mean(x, maps, call)
    }
  }
}

private func checkInterpolation(
  _ x: Tensor, _ mode: InterpolationMode, _ alignCorners: Bool?, _ call: String
) throws(TensorError) {
  let ranks: ClosedRange<Int> =
    switch mode {
    case .linear: 3...3
    case .bilinear, .bicubic: 4...4
    case .trilinear: 5...5
    default: 3...5
    }
  guard ranks.contains(x.rank) else {
    throw TensorError(call, "expected \(ranks) axes (N, C and spatial axes), got shape \(x.shape)")
  }
  try demand(x.dtype.isFloatingPoint, call, "\(x.dtype) is not real; cast(to: .float32) first")
  let knowsCorners = [.linear, .bilinear, .trilinear, .bicubic].contains(mode)
  if alignCorners != nil, !knowsCorners {
    throw TensorError(call, "alignCorners applies to linear and cubic modes only")
  }
}

/// The lengths of the results, and the factors if the caller gave them.
private func interpolatedSizes(
  _ space: [Int], _ size: Extents?, _ factors: [Double]?, _ call: String
) throws(TensorError) -> (outputs: [Int], scales: [Double]?) {
  switch (size, factors) {
  case (let size?, nil):
    let sizes = try size.expanded(space.count, atLeast: 1, "size", call: call)
    try Shape.results(sizes, call: call)
    return (sizes, nil)
  case (nil, let factors?):
    guard factors.count == 1 || factors.count == space.count else {
      throw TensorError(call, "\(factors.count) factors for \(space.count) spatial axes")
    }
    guard factors.allSatisfy({ $0 > 0 && $0.isFinite }) else {
      throw TensorError(call, "scaleFactor \(factors) must be positive")
    }
    let scales = factors.count == 1 ? [Double](repeating: factors[0], count: space.count) : factors
    let lengths = zip(space, scales).map { Double($0) * $1 }
    let sizes = lengths.map { Int(Swift.min($0, 0x1p62)) }
    try Shape.results(sizes, call: call)
    return (sizes, scales)
  default: throw TensorError(call, "either size or scaleFactor must be given")
  }
}
