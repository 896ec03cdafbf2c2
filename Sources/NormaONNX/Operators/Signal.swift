import Foundation
import NormaTensor

extension OperatorTable {
  /// Fourier transforms by products with matrices of sines and cosines, and windows.
  static var signal: Entries {
    [
      "DFT": dft,
      "STFT": { node in
        let isOneSided = try node.flag("onesided", true)
        return { operands in
          let x = try operands.tensor(0)
          let window = operands.optional(2)
          guard x.rank >= 2, let step = operands.integers(1)?.first, step > 0 else {
            throw operands.failure("shape \(x.shape)")
          }
          let signal = x.rank == 2 ? x.unsqueezed(2) : x
          let length =
            operands.integers(3)?.first ?? window?.shape.first ?? signal.shape[1]
          guard (1...Fourier.longest).contains(length) else {
            throw operands.failure("length \(length)")
          }
          // [N, frames, length, parts].
          var frames = signal.unfolded(over: 1, size: length, step: step).permuted(0, 1, 3, 2)
          if let window { frames = frames * window.reshaped([length, 1]) }
          let spectrum = Fourier(length: length, isInverse: false).transformed(frames, over: 2)
          let kept = isOneSided ? length / 2 + 1 : length
          return [.tensor(spectrum.narrowed(over: 2, from: 0, count: kept))]
        }
      },
      "HannWindow": window { 0.5 - 0.5 * cos($0) },
      "HammingWindow": window { 25.0 / 46 - 21.0 / 46 * cos($0) },
      "BlackmanWindow": window { 0.42 - 0.5 * cos($0) + 0.08 * cos(2 * $0) },
      "MelWeightMatrix": melWeights,
    ]
  }

  /// A window of a size: a function of the angle.
  private static func window(_ value: @escaping (Double) -> Double) -> Builder {
    { node in
      let isPeriodic = try node.flag("periodic", true)
      let dtype = try node.dtype("output_datatype") ?? .float32
      return { operands in
        guard let size = operands.integers(0)?.first, (0...1 << 24).contains(size) else {
          throw operands.failure("has no size")
        }
        let period = Double(isPeriodic ? size : max(size - 1, 1))
        let values = (0..<size).map { value(2 * .pi * Double($0) / period) }
        return [.tensor(Tensor(values, shape: [size]).cast(to: dtype))]
      }
    }
  }

  /// Up to version 19 the axis is an attribute, then an operand.
  private static func dft(_ node: NodeContext) throws -> GraphPlan.Run {
    let (isInverse, isOneSided) = try (node.flag("inverse"), node.flag("onesided"))
    let fixed = try node.opset < 20 ? node.int("axis", 1) : nil
    return { operands in
      var x = try operands.tensor(0)
      let axis = try x.axis(fixed ?? operands.integers(2)?.first ?? -2, operands)
      let length = operands.integers(1)?.first ?? x.shape[axis]
      let isReal = isInverse && isOneSided
      let full = isReal ? operands.integers(1)?.first ?? 2 * (x.shape[axis] - 1) : length
      guard (1...Fourier.longest).contains(full) else {
        throw operands.failure("length \(full); at most \(Fourier.longest) are transformed")
      }
      if isReal {
        // The other half is the conjugate of this one.
        x = fitted(x, axis, full / 2 + 1)
        let rest = full - x.shape[axis]
        let mirrored = x.narrowed(over: axis, from: full - (full / 2 + 1) - rest + 1, count: rest)
          .flipped(over: axis)
        let signs = Tensor([Float(1), -1], shape: [2]).cast(to: x.dtype)
        x = Tensor.concatenated([x, mirrored * signs], over: axis)
      } else {
        x = fitted(x, axis, full)
      }
      var y = Fourier(length: full, isInverse: isInverse).transformed(x, over: axis)
      if isReal { y = y.narrowed(over: y.rank - 1, from: 0, count: 1) }
      if isOneSided && !isInverse { y = y.narrowed(over: axis, from: 0, count: full / 2 + 1) }
      return [.tensor(y)]
    }
  }

  /// The axis with another length: cut, or with zeros after it.
  private static func fitted(_ x: Tensor, _ axis: Int, _ length: Int) -> Tensor {
    let missing = length - x.shape[axis]
    if missing <= 0 { return x.narrowed(over: axis, from: 0, count: length) }
    var amounts = [Int](repeating: 0, count: 2 * x.rank)
    amounts[2 * (x.rank - 1 - axis) + 1] = missing
    return x.padded(amounts)
  }

  /// Triangles that gather the bins of a spectrum into bands of equal width in mel.
  private static func melWeights(_ node: NodeContext) throws -> GraphPlan.Run {
    let dtype = try node.dtype("output_datatype") ?? .float32
    return { operands in
      guard let bands = operands.integers(0)?.first, let length = operands.integers(1)?.first,
        let rate = operands.integers(2)?.first, let low = try operands.number(3),
        let high = try operands.number(4), (1...1 << 16).contains(bands),
        (1...1 << 16).contains(length), rate > 0
      else { throw operands.failure("bands, length and rate must be positive") }
      func mel(_ frequency: Double) -> Double { 2595 * log10(1 + frequency / 700) }
      let step = (mel(high) - mel(low)) / Double(bands + 2)
      let bins = length / 2 + 1
      let edges = (0..<bands + 2).map { index -> Int in
        let frequency = 700 * (pow(10, (mel(low) + Double(index) * step) / 2595) - 1)
        return Int((Double(length + 1) * frequency / Double(rate)).rounded(.down))
      }
      guard edges.allSatisfy({ (0..<bins).contains($0) }) else {
        throw operands.failure("the edges exceed half of the rate")
      }
      var weights = [Double](repeating: 0, count: bins * bands)
      for band in 0..<bands {
        let (left, center, right) = (edges[band], edges[band + 1], edges[band + 2])
        if left == center { weights[center * bands + band] = 1 }
        for bin in left..<max(center + 1, left) where center > left {
          weights[bin * bands + band] = Double(bin - left) / Double(center - left)
        }
        for bin in center..<max(right, center) {
          weights[bin * bands + band] = Double(right - bin) / Double(right - center)
        }
      }
      return [.tensor(Tensor(weights, shape: [bins, bands]).cast(to: dtype))]
    }
  }
}

/// The discrete Fourier transform of a length, as two matrices.
private struct Fourier {
  /// The matrices of longer transforms would be too large.
  static let longest = 8192

  let cosines: Tensor
  let sines: Tensor
  let length: Int
  let isInverse: Bool

  init(length: Int, isInverse: Bool) {
    self.length = length
    self.isInverse = isInverse
    // Angles of products modulo the length keep their digits.
    let angles = (0..<length * length).map {
      2 * Double.pi * Double(($0 / length) * ($0 % length) % length) / Double(length)
    }
    cosines = Tensor(angles.map { cos($0) }, shape: [length, length])
    sines = Tensor(angles.map { isInverse ? sin($0) : -sin($0) }, shape: [length, length])
  }

  /// - Parameter x: with a last axis of 1 (real numbers) or 2 (real and imaginary parts).
  func transformed(_ x: Tensor, over axis: Int) -> Tensor {
    let last = x.rank - 1
    let real = x.selected(over: last, at: 0).movedAxis(axis, to: last - 1)
    let (c, s) = (cosines.cast(to: x.dtype), sines.cast(to: x.dtype))
    var (a, b) = (real.matmul(c), real.matmul(s))
    if x.shape[last] == 2 {
      let imaginary = x.selected(over: last, at: 1).movedAxis(axis, to: last - 1)
      (a, b) = (a - imaginary.matmul(s), b + imaginary.matmul(c))
    }
    if isInverse { (a, b) = (a / Double(length), b / Double(length)) }
    return Tensor.stacked([a, b].map { $0.movedAxis(last - 1, to: axis) }, over: last)
  }
}
