import Norma
import NormaKernels

/// One measurement of `norma bench`, with a stable name for scripts.
struct BenchRow {
  let name: String
  /// The shape of the operation's input, or of a draw's result.
  let shape: [Int]
  /// Creates the inputs. Only the row that is being measured holds memory.
  let prepare: () -> BenchWork
}

/// A row that is ready to run.
struct BenchWork {
  /// The tensor whose bytes are copied for comparison: the operation's largest input, or for a draw
  /// a tensor like its result. Row-major.
  let source: Tensor
  /// The minimum number of bytes to read and write: every input and output once.
  let byteCount: Int
  /// The number of operations in a run; times are per operation.
  var operations = 1
  /// Runs the operation. The result is dropped, so that the next run can reuse its memory; nil if
  /// it is not a tensor.
  let run: () -> Tensor?
}

/// A copy of a tensor's bytes into memory that is already mapped.
final class BenchCopy {
  private let source: Tensor
  private let target: UnsafeMutableRawBufferPointer

  init(of source: Tensor) {
    self.source = source
    target = .allocate(byteCount: max(source.byteCount, 1), alignment: 4096)
    target.initializeMemory(as: UInt8.self, repeating: 0)
  }

  deinit { target.deallocate() }

  func run(times: Int = 1) {
    source.withUnsafeBytes { bytes in
      guard let from = bytes.baseAddress, let to = target.baseAddress else { return }
      for _ in 0..<times {
        copyBytes(from: from, to: to, count: bytes.count, threads: TensorThreads.count)
      }
    }
  }
}

extension Tensor {
  /// The bytes of all elements without gaps.
  var byteCount: Int { count * dtype.byteCount }
}

/// The sizes of the rows.
struct BenchSizes {
  /// A batch of feature maps, 77 MB: larger than any cache.
  var images = [6, 64, 224, 224]
  /// Activations in the middle of a residual network.
  var activations = [[32, 64, 56, 56], [32, 128, 28, 28]]
  /// Inputs of normalization layers when training a small residual network.
  var residuals = [[128, 16, 28, 28], [128, 32, 14, 14], [128, 64, 7, 7]]
  var matrix = [16384, 1024]
  /// Sizes where the call itself dominates.
  var smallImages = [8, 32, 14, 14], smallMatrix = [32, 512]
  var values = [4096, 4096]
  var few = 64
  var chain = 1000
  var products = [64, 256, 1024]
  /// Vectors and their components.
  var vectors = [[1000, 128], [1000, 3]]
  /// 25 million numbers for an optimizer.
  var parameter = [5000, 5000]
  /// Channels of the first blocks of residual networks, and images of a training step.
  var widths = [16, 32]
  var networkBatch = 128
  /// A language model that generates.
  var generator = (width: 768, layers: 12, tokens: 50_257)
  /// An image of the size that ImageNet networks take.
  var photo = [3, 224, 224]
  /// The sizes of PyTorch's own benchmark of batch norm: images, channels, height and width.
  var grid = (images: 20, channels: [1, 3, 10, 100, 1000], sides: [1, 4, 16, 64, 256])
  /// The sizes of the operation catalogue.
  var catalogue = [[8, 8], [64, 64], [1024, 1024], [4000, 5000]]
  /// Larger tensors of the grid are left out, in bytes.
  var largest = 1 << 30

  /// Small sizes, for a quick check that every row runs.
  static var quick: BenchSizes {
    BenchSizes(
      images: [2, 4, 6, 10], activations: [[2, 4, 5, 6], [2, 8, 3, 3]],
      residuals: [[2, 4, 5, 6], [2, 8, 3, 3], [3, 4, 2, 2]], matrix: [32, 40],
      smallImages: [2, 4, 3, 3], smallMatrix: [3, 8],
      values: [20, 30], chain: 50, products: [4, 8, 16],
      vectors: [[9, 5], [9, 3]],
      parameter: [20, 30], networkBatch: 2,
      generator: (width: 16, layers: 2, tokens: 50), photo: [3, 32, 32],
      grid: (images: 20, channels: [1, 3], sides: [1, 4]), catalogue: [[4, 4], [8, 8]])
  }
}
