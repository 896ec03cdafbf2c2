import CNormaLoops

/// A step of the optimizers Adam and AdamW in one pass over memory, with the same bits as its
/// operations one by one.
package struct AdamStep {
  private let numbers: norma_adam_numbers

  /// The step for a value p, its gradient g, and their moments m and v:
  ///
  ///     g ← g + p joined;  m ← m + (g - m) meanShare;  v ← v squareKept + g g squareShare
  ///     p ← p decay - m size / (√v scale + eps)
  package init(
    decay: Double, joined: Double, meanShare: Double, squareKept: Double, squareShare: Double,
    size: Double, scale: Double, eps: Double
  ) {
    numbers = norma_adam_numbers(
      decay: Float(decay), joined: Float(joined), mean_share: Float(meanShare),
      square_kept: Float(squareKept), square_share: Float(squareShare), size: Float(size),
      scale: Float(scale), eps: Float(eps))
  }

  /// Contiguous `float32` values; results may overwrite their operands.
  package struct Memory {
    let memory: norma_adam_memory

    package init(
      value: UnsafeRawPointer, gradient: UnsafeRawPointer, mean: UnsafeRawPointer,
      square: UnsafeRawPointer,
      into next: (
        value: UnsafeMutableRawPointer, mean: UnsafeMutableRawPointer,
        square: UnsafeMutableRawPointer
      )
    ) {
      memory = norma_adam_memory(
        value: value.assumingMemoryBound(to: Float.self),
        gradient: gradient.assumingMemoryBound(to: Float.self),
        mean: mean.assumingMemoryBound(to: Float.self),
        square: square.assumingMemoryBound(to: Float.self),
        next_value: next.value.assumingMemoryBound(to: Float.self),
        next_mean: next.mean.assumingMemoryBound(to: Float.self),
        next_square: next.square.assumingMemoryBound(to: Float.self))
    }
  }

  /// Runs the step; the value bypasses the caches if `isStreamed`.
  package func run(_ count: Int, _ memory: Memory, isStreamed: Bool, threads: Int) {
    // Complete cache lines for each thread.
    let lines = (count + 15) / 16
    inParallel(lines, work: count, threads: threads) { begin, end in
      withUnsafePointer(to: numbers) { numbers in
        withUnsafePointer(to: memory.memory) { memory in
          norma_adam_step_f32(
            numbers, memory, isStreamed ? 1 : 0, begin * 16, min(end * 16, Int64(count)))
        }
      }
    }
  }
}
