import CNormaLoops

/// Whether to use oneDNN's `bfloat16` loops on this processor: they are up to 5 times faster or
/// slower, so one product and one convolution are timed in both types at first use.
///
/// They must be faster by a quarter, so that a processor on which they are not does not alternate
/// between the two, whose bits differ. Otherwise operands are multiplied in `float32` and results
/// rounded.
package enum BFloat16Loops {
  /// Overrides the measurement, for the current task.
  @TaskLocal package static var areWanted: Bool?

  /// Whether to use them for matrix products.
  package static var multiply: Bool { areWanted ?? multiplyFaster }
  /// Whether to use them for convolutions.
  package static var convolve: Bool { areWanted ?? convolveFaster }

  private static let threads = Int(norma_team_default_threads())

  private static let multiplyFaster = areFaster { type, memory throws(OneDNNError) in
    let size = 256
    if type == .bfloat16 {
      try OneDNN.multiplyBFloat16(
        batch: [], m: size, n: size, k: size, a: memory[0], aStrides: [size, 1], b: memory[1],
        bStrides: [size, 1], into: memory[2], threads: threads)
    } else {
      try OneDNN.multiply(
        m: size, n: size, k: size, a: memory[0].assumingMemoryBound(to: Float.self),
        aStrides: [size, 1], b: memory[1].assumingMemoryBound(to: Float.self),
        bStrides: [size, 1], into: memory[2].assumingMemoryBound(to: Float.self),
        threads: threads)
    }
  }

  private static let convolveFaster = areFaster { type, memory throws(OneDNNError) in
    let (images, channels, side) = (4, 64, 28)
    let operand = ConvolutionPlan.Operand(
      dims: [images, channels, side, side],
      strides: [side * side * channels, 1, side * channels, channels])
    let weights = ConvolutionPlan.Operand(
      dims: [channels, channels, 3, 3], strides: [channels * 9, 9, 3, 1])
    let plan = ConvolutionPlan(
      pass: .forward, type: type, source: operand, weights: weights, destination: operand,
      hasBias: false, stride: [1, 1], dilation: [1, 1], before: [1, 1], after: [1, 1],
      threads: threads)
    try CompiledConvolution.of(plan).run(
      source: memory[0], weights: memory[1], bias: nil, destination: memory[2])
  }

  /// - Parameter run: runs an operation in a type, on three blocks of memory of a megabyte.
  private static func areFaster(
    _ run: (OperandType, [UnsafeMutableRawPointer]) throws(OneDNNError) -> Void
  ) -> Bool {
    guard OneDNN.isAvailable else { return false }
    let memory = (0..<3).map { _ in
      let piece = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 64)
      piece.initializeMemory(as: UInt8.self, repeating: 0, count: 1 << 20)
      return piece
    }
    defer { for piece in memory { piece.deallocate() } }
    let clock = ContinuousClock()
    /// The fastest of several runs; nil if there are no loops.
    func time(_ type: OperandType) -> Duration? {
      var best: Duration?
      for _ in 0..<8 {
        let start = clock.now
        do throws(OneDNNError) { try run(type, memory) } catch { return nil }
        let time = clock.now - start
        best = min(best ?? time, time)
      }
      return best
    }
    guard let narrow = time(.bfloat16), let wide = time(.float32) else { return false }
    return narrow * 5 < wide * 4
  }
}
