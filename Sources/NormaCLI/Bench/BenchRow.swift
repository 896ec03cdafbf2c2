import Norma
import NormaKernels

/// One thing that `norma bench` measures, under a name that scripts may rely on.
struct BenchRow {
  let name: String
  /// The shape of what the operation reads, or of what it draws.
  let shape: [Int]
  /// Makes the inputs. Only the row that is measured holds memory.
  let prepare: () -> BenchWork
}

/// A row that is ready to run.
struct BenchWork {
  /// The tensor whose bytes the row is compared with: the operation's largest input, or for a draw
  /// a tensor like its result. Row-major.
  let source: Tensor
  /// What the operation reads and writes at the least: every input and output once.
  let byteCount: Int
  /// How many operations a run is; times are given for one.
  var operations = 1
  /// Runs the operation. The result is dropped, so that the next run finds its memory; nil where it
  /// is no tensor.
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
  /// A batch of feature maps, 77 MB: more than any cache holds.
  var images = [6, 64, 224, 224]
  /// Activations in the middle of a residual network.
  var activations = [[32, 64, 56, 56], [32, 128, 28, 28]]
  /// What training a small residual network normalizes.
  var residuals = [[128, 16, 28, 28], [128, 32, 14, 14], [128, 64, 7, 7]]
  var matrix = [16384, 1024]
  /// Where the call takes the time.
  var smallImages = [8, 32, 14, 14], smallMatrix = [32, 512]
  var values = [4096, 4096]
  var few = 64
  var chain = 1000
  var products = [64, 256, 1024]
  /// Vectors, and their components.
  var vectors = [[1000, 128], [1000, 3]]
  /// 25 million numbers that an optimizer moves.
  var parameter = [5000, 5000]
  /// Of residual networks: channels of the first blocks, and images of a training step.
  var widths = [16, 32]
  var networkBatch = 128
  /// An image as networks for ImageNet take it.
  var photo = [3, 224, 224]
  /// Those of PyTorch's own benchmark of batch norm: images, channels, height and width.
  var grid = (images: 20, channels: [1, 3, 10, 100, 1000], sides: [1, 4, 16, 64, 256])
  /// Those of the catalogue of operations.
  var catalogue = [[8, 8], [64, 64], [1024, 1024], [4000, 5000]]
  /// Tensors of the grid that take more bytes are left out.
  var largest = 1 << 30

  /// Small stand-ins, to check in a moment that every row runs.
  static var quick: BenchSizes {
    BenchSizes(
      images: [2, 4, 6, 10], activations: [[2, 4, 5, 6], [2, 8, 3, 3]],
      residuals: [[2, 4, 5, 6], [2, 8, 3, 3], [3, 4, 2, 2]], matrix: [32, 40],
      smallImages: [2, 4, 3, 3], smallMatrix: [3, 8],
      values: [20, 30], chain: 50, products: [4, 8, 16],
      vectors: [[9, 5], [9, 3]],
      parameter: [20, 30], networkBatch: 2, photo: [3, 32, 32],
      grid: (images: 20, channels: [1, 3], sides: [1, 4]), catalogue: [[4, 4], [8, 8]])
  }
}
