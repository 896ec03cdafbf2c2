/// The sizes at which another path is taken, with reasons; times are for two threads of an AMD Zen
/// 5 or an Intel Xeon, both with AVX-512.
enum Limits {
  // MARK: What is fused

  /// A pending value is computed inside the program that uses it. If it is used again, it is
  /// computed again as long as its instructions times its uses do not exceed this; beyond that it
  /// is stored, because a write and reads are then cheaper.
  static let streamLimit = 16

  /// A pending program that would cost more than this, in additions, is stored in parts.
  static let costLimit = 64

  /// The longest chain of pending nodes, so that evaluating and freeing them fits on a thread's 512
  /// KiB stack.
  static let depthLimit = 64

  /// The depth that a pending reduction counts as: running one inside another takes more of the
  /// stack.
  static let reductionDepth = 8

  /// A program with this many values reads further ones from memory. What its unfinished
  /// instructions still need fits between this and the capacity of the C runner.
  static let valueLimit = 160

  // MARK: Few elements

  /// In programs of at most this many elements, operands that are broadcast are stored first: in
  /// larger ones they may run slice by slice with their own operands. A single instruction on so
  /// few elements is one call of its loop, because tiles of 30 ns each would take a tenth of its
  /// time.
  static let smallProgram = 1 << 14

  /// Small tensors that one instruction needs, such as mean, scale and shift of a normalization,
  /// are computed by one program, up to this size; larger ones may be worth threads of their own.
  static let smallSiblings = 4096

  /// Reductions of at most this many contiguous elements run eagerly: recording the sum of 64 takes
  /// 2.1 us, running it 0.7. More are worth fusing, and threads.
  static let fewToReduce = 1 << 15

  /// Normalizations of at most this many elements stay in cache anyway and run eagerly, group by
  /// group: as pending nodes, their statistics and operands took 28 us per call; now the whole call
  /// takes 12.
  static let smallNormalization = 1 << 16

  /// Work of fewer elements, times its instructions, is not worth a second thread: a parallel
  /// region costs about a microsecond, in which one thread adds some 30,000 numbers.
  static let leastToShare = 1 << 15

  // MARK: Rows

  /// Rows of this many elements fill a tile well enough on their own. Shorter rows that are not
  /// contiguous are gathered.
  static let wholeRow = 128

  /// Shorter rows are worth processing row by row only if there is a loop for all of them.
  static let shortRow = 64

  /// The rows of a tile of a transposed operand: the four-byte elements of a cache line, all of
  /// which are then used.
  static let turnedRows = 16

  /// Runs of this many elements are as good as contiguous memory.
  static let longRun = 1 << 14

  // MARK: Attention

  /// Queries that are computed together: their results stay in the first-level cache. With 96 or
  /// 128, attention over 128 and 4,096 positions takes 1.1 to 1.6 times as long.
  static let attentionQueries = 64

  /// Scores of a block, 128 KiB of `float32`: with the keys and values of the block they fit in the
  /// second-level cache.
  static let attentionScores = 1 << 15

  /// Independent gradients of keys and values, so that as many threads have work; each part beyond
  /// the first costs memory of its own.
  static let attentionGradients = 16

  // MARK: Recurrence

  /// Sequences that take a step together: a product of 8 rows with a matrix of 256 by 1,024 takes
  /// 12.6 ms for 32 rows and 128 steps on two cores, of 16 rows 11.9, of 4 rows 18.4. Smaller
  /// batches take half as many, so that two threads have work.
  static let recurrentRows = 8

  /// From this number of steps on, transposing the weights pays: the library's product with a
  /// transposed matrix takes 2.5 times as long for few rows.
  static let turningSteps = 4

  // MARK: Caches

  /// Results of this many bytes bypass the caches, which are too small for them:
  /// `(x - mean) / (std + eps)` of 77 MB went from 4.7 to 4.3 ms, evaluated batch norm from 4.1 to
  /// 3.2.
  static let streamedBytes = 32 << 20

  /// Normalized rows of fewer elements stay in the caches, including results, if the kernel for
  /// groups computes them: a program takes one and a half to five times as long there, because it
  /// is started for every row. Larger results bypass the caches, as programs do.
  static let normalizedInRows = streamedBytes / 4

  /// Larger slices, in bytes, do not stay in cache until they are read again.
  static let largestSlice = 4 << 20

  /// Fewer results of a reduction are faster to store than to finish strip by strip.
  static let fewestInStrips = 4096

  /// The bytes of convolution results that a thread computes before they are finished: half of a
  /// typical second-level cache.
  static let convolutionPart = 1 << 20

  /// Channels from which on Winograd's algorithm is faster with its reorderings: 32 to 32 take 1.34
  /// of the time of the definition, 48 to 48 and 64 to 32 at least as long, 32 to 64 take 0.73.
  static let winogradInputs = 32, winogradOutputs = 64

  /// The same as ``convolutionPart`` for Winograd's algorithm, which keeps its operands in another
  /// order beside them: a network with 900 x 161 numbers a channel takes 0.95 of its time with
  /// ``convolutionPart``.
  static let winogradPart = 1 << 18

  /// The fewest rows of an image that a convolution computes at a time.
  static let convolutionRows = 8
}
