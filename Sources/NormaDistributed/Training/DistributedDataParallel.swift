import NormaNN
import NormaTensor

/// A network that several processes train on different data: each has a replica, and gradients are
/// those of all data together.
///
///     try ProcessGroup.withMPI { group in
///       let network = try DistributedDataParallel(Network(), over: group)
///       let optimizer = SGD(network.parameters, learningRate: 0.1)
///       for batch in DataLoader(data.sharded(over: group), batchSize: 256, shuffle: true) {
///         let loss = crossEntropy(network(batch[0]), batch[1])
///         optimizer.zeroGrad()
///         loss.backward()
///         optimizer.step()
///       }
///     }
///
/// At the start, all processes get the parameters and buffers of rank 0, which is verified. During
/// a backward pass, gradients travel in buckets as soon as they are complete, while the pass goes
/// on; when `backward()` returns, `Parameter.grad` is the same in all processes, and so are the
/// updates of an optimizer. Norms for clipping and the scale of mixed precision are then the same,
/// too.
///
/// - Uneven batches: a gradient is the mean over the samples of all processes, counted by the first
///   axes of the tensors that the network is called with (or by ``sampleCount``): process r with
///   n(r) samples, and a loss that is a mean over them, contributes n(r) / Σ n. With equal batches
///   this is PyTorch's mean over processes. A process may have none.
/// - Accumulation: backward passes inside ``noSync(_:)`` stay in the process; the next one outside
///   sends their sum. All samples of all passes have the same weight. As in PyTorch, divide losses
///   by the number of passes for their mean.
/// - Unused parameters: one that no process has used keeps its gradient; where some have used
///   one, the others contribute zero.
/// - Batch norm: every process normalizes its own part of the batch, and before each call in
///   training all get the buffers of rank 0, unless `broadcastBuffers` is false. To normalize the
///   whole batch, convert the layers before: `SyncBatchNorm.convert(inside:over:)`.
/// - Cost: two copies of the gradients, and their exchange.
/// - PyTorch: `torch.nn.parallel.DistributedDataParallel`. Names in state dictionaries begin with
///   `module.`, as there; save `network.module` for names without.
public final class DistributedDataParallel<Model: Module>: Module {
  /// The replica of this process.
  public let module: Model
  /// The processes.
  public let group: ProcessGroup
  /// The buffers that processes change each for itself, if rank 0's are sent to all. A closure, so
  /// that the search for this module's members does not find them here, too.
  private let ownBuffers: () -> [Buffer]
  private let reducer: GradientReducer?

  /// The replica `module` among those of `group`; called by all processes.
  ///
  /// - Parameters:
  ///   - module: the network, built alike in all processes; its values become those of rank 0.
  ///   - group: the processes.
  ///   - bucketBytes: the size of the messages in which gradients travel.
  ///   - broadcastBuffers: whether all get the buffers of rank 0 before each call in training.
  /// - Throws: ``ProcessGroupError`` with the name of a parameter or buffer if the networks differ.
  public init(
    _ module: Model, over group: ProcessGroup, bucketBytes: Int = 25 << 20,
    broadcastBuffers: Bool = true
  ) throws(ProcessGroupError) {
    self.module = module
    self.group = group
    let own = broadcastBuffers ? Self.ownBuffers(of: module) : []
    ownBuffers = { own }
    try group.broadcastState(of: module)
    reducer =
      group.count > 1 ? GradientReducer(module, group, bucketBytes: max(bucketBytes, 1)) : nil
    super.init()
  }

  /// The number of samples of this process in the next backward pass; nil for what the calls of the
  /// network have counted. Set it where a loss is a mean over something else, such as tokens that
  /// are no padding, or where the network's own methods are called.
  public var sampleCount: Int? {
    get { reducer?.calledSamples }
    set { reducer?.calledSamples = newValue }
  }

  /// How the last backward pass and the exchange of gradients shared their time.
  public var communicationTime: CommunicationTime { reducer?.lastPass ?? CommunicationTime() }

  /// Runs `body`, whose backward passes leave gradients in their process. PyTorch: `no_sync()`.
  public func noSync<R>(_ body: () throws -> R) rethrows -> R {
    let before = reducer?.isLocal ?? false
    reducer?.isLocal = true
    defer { reducer?.isLocal = before }
    return try body()
  }

  /// Prepares a call in training: counts samples, and gives all processes the buffers of rank 0.
  private func prepare(_ samples: Int) throws(TensorError) {
    guard let reducer, isTraining, GradientMode.isRecording else { return }
    reducer.calledSamples = (reducer.calledSamples ?? 0) + samples
    if reducer.isLocal { return }
    do throws(ProcessGroupError) {
      for buffer in ownBuffers() { buffer.value = try group.broadcast(buffer.value) }
    } catch {
      throw error.asTensorError
    }
  }

  /// Buffers, without those that synchronized batch norms keep equal.
  private static func ownBuffers(of module: Model) -> [Buffer] {
    var common: Set<ObjectIdentifier> = []
    for case let norm as SyncBatchNorm in module.namedModules.map(\.module) {
      for (_, buffer) in norm.namedBuffers { common.insert(ObjectIdentifier(buffer)) }
    }
    return module.namedBuffers.map(\.buffer).filter { !common.contains(ObjectIdentifier($0)) }
  }
}

extension DistributedDataParallel: Layer where Model: Layer {
  /// The result of the replica; in training, its samples are counted.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    checked(file: #fileID, line: #line) { () throws(TensorError) in
      try prepare(x.shape.first ?? 1)
      return module(x)
    }
  }
}
