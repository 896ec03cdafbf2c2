import CNormaLoops
import NormaValues

extension Generator {
  /// Fills `out` with ones, each with probability `p`, and zeros, as elements of any type.
  ///
  ///     u < p, where u has 53 random bits
  ///
  /// Cost: two words of the stream per value. PyTorch: `bernoulli_(p)` with a number; dropout.
  package mutating func bernoulli(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, p: Double
  ) {
    withMask(count) { generator, mask in
      withUnsafePointer(to: p) { p in
        generator.drawUnits64(count) { units, range in
          norma_random_below64(units, p, 0, mask, range.count)
          Self.store(mask, out, range, dtype)
        }
      }
    }
  }

  /// Fills `out` with ones, each with a probability of its own, and zeros.
  ///
  /// `probabilities` has `count` values of the real type `probabilityType`. `float64` probabilities
  /// are compared with 53 random bits, others with 24: the result of a tensor full of 0.3 is not
  /// the result of the number 0.3. Cost: one word of the stream per value, two for `float64`.
  /// PyTorch: `torch.bernoulli(probabilities)`, `bernoulli_(probabilities)`.
  package mutating func bernoulli(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType,
    probabilities: UnsafeRawPointer, probabilityType: DType
  ) {
    switch probabilityType {
    case .float64:
      let p = probabilities.assumingMemoryBound(to: Double.self)
      withMask(count) { generator, mask in
        generator.drawUnits64(count) { units, range in
          norma_random_below64(units, p + range.lowerBound, 1, mask, range.count)
          Self.store(mask, out, range, dtype)
        }
      }
    case .float32:
      let p = probabilities.assumingMemoryBound(to: Float.self)
      withMask(count) { generator, mask in
        generator.drawUnits32(count) { units, range in
          norma_random_below32(units, p + range.lowerBound, 1, mask, range.count)
          Self.store(mask, out, range, dtype)
        }
      }
    case .float16, .bfloat16:
      let p = probabilities.assumingMemoryBound(to: UInt16.self)
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.pieceSize) { buffer in
        guard let wide = buffer.baseAddress else { return }
        withMask(count) { generator, mask in
          generator.drawUnits32(count) { units, range in
            Self.convert(p + range.lowerBound, probabilityType, wide, .float32, range.count)
            norma_random_below32(units, wide, 1, mask, range.count)
            Self.store(mask, out, range, dtype)
          }
        }
      }
    default:
      unsupported("bernoulli with probabilities", probabilityType)
    }
  }

  /// Provides a buffer of one byte for each element of a piece.
  private mutating func withMask(
    _ count: Int, _ body: (inout Generator, UnsafeMutablePointer<UInt8>) -> Void
  ) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.pieceSize) { buffer in
      if let mask = buffer.baseAddress { body(&self, mask) }
    }
  }
}
