/// The sizes from which on something else is done, each with its reason; times are of two threads of an AMD Zen 5
/// or an Intel Xeon, both with AVX-512.
enum Limits {
  // MARK: What is fused

  /// A pending value is computed inside of the program that uses it. One that is used again is
  /// computed again while its instructions times its uses stay at or under this; then it is stored, as a write and
  /// reads are then cheaper.
  static let streamLimit = 16

  /// A pending program that would cost more than this, in additions, is stored in parts.
  static let costLimit = 64

  /// No more than this many pending nodes lie one behind another, so that evaluating and freeing them fits on the
  /// 512 KiB stack of a thread.
  static let depthLimit = 64

  /// A pending reduction counts as so many: running one inside of another takes more of the stack.
  static let reductionDepth = 8

  /// A program with this many values takes further ones from memory. What its open instructions
  /// still need fits between this and what the C runner has room for.
  static let valueLimit = 160

  // MARK: Few elements

  /// Of programs of no more elements, operands that others stretch over them are stored first: larger ones may run
  /// slice by slice with what they wait for. One instruction on so few is one call of its loop, as their tiles, of
  /// 30 ns each, would take a tenth of its time.
  static let smallProgram = 1 << 14

  /// Small tensors that one instruction waits for, such as mean, scale and shift of a normalization, are made by one
  /// program, up to this size; larger ones may be worth threads of their own.
  static let smallSiblings = 4096

  /// Reductions of so few elements without gaps run when they are called: recording the sum of 64 takes 2.1 us,
  /// running it 0.7. More are worth fusing, and threads.
  static let fewToReduce = 1 << 15

  /// Normalizations of so few elements stay in cache anyway and run when they are called, group by group: as pending
  /// nodes their statistics and numbers took 28 us a call, now the whole call takes 12.
  static let smallNormalization = 1 << 16

  /// Work of fewer elements, times its instructions, is not worth a second thread: a region costs about a
  /// microsecond, in which one thread adds some 30,000 numbers.
  static let leastToShare = 1 << 15

  // MARK: Rows

  /// Rows of so many elements fill a tile by themselves well enough. Shorter ones that lie apart are gathered.
  static let wholeRow = 128

  /// Shorter rows are worth a call for each only where there is a loop for all of them.
  static let shortRow = 64

  /// Rows of a tile that lies transposed: elements of four bytes in a cache line, all of which it then takes.
  static let turnedRows = 16

  /// Runs of so many elements are as good as contiguous memory.
  static let longRun = 1 << 14

  // MARK: Caches

  /// Results of so many bytes are stored past the caches, which would not keep them: `(x - mean) / (std + eps)` of
  /// 77 MB went from 4.7 to 4.3 ms, evaluated batch norm from 4.1 to 3.2.
  static let streamedBytes = 32 << 20

  /// Normalized rows of fewer elements stay in the caches, results included, where the kernel for groups takes them: a
  /// program takes one and a half to five times as long there, as it is run anew for every row. Larger results are
  /// stored past the caches, which programs do.
  static let normalizedInRows = streamedBytes / 4

  /// Larger slices, in bytes, do not stay in cache until they are read again.
  static let largestSlice = 4 << 20

  /// Fewer results of a reduction are quicker stored than finished strip by strip.
  static let fewestInStrips = 4096

  /// Bytes of results of a convolution that a thread makes before they are finished: half of a second-level cache of
  /// today.
  static let convolutionPart = 1 << 20
}
