import NormaNN
import NormaTensor

/// Takes the gradients of a module's parameters as backward passes complete them, and makes them
/// those of all processes.
final class GradientReducer: GradientReceiver, @unchecked Sendable {
  // Used by one thread at a time: that which runs the backward pass.
  private let group: ProcessGroup
  private let bucketBytes: Int
  // Closures, so that the search for members of a module, which holds this, ends here.
  private let parameters: () -> [Parameter]
  private var positions: [ObjectIdentifier: Int] = [:]
  private var buckets: [GradientBucket] = []
  private var bucketOf: [Int: Int] = [:]
  private var frozen: [Bool] = []

  /// Whether gradients stay in this process until a later pass.
  var isLocal = false
  /// The samples of the calls since the last pass; nil if the module was not called.
  var calledSamples: Int?

  /// The gradients of this pass.
  private var arrived: [Int: Tensor] = [:]
  private var waitingFor: [Int] = []
  private var pending: [PendingTensor] = []
  private var hasBegun = false

  // What local passes have left: the parameters have the gradients, in units of the first number of
  // samples.
  private var unit = 0.0
  private var samples = 0.0
  private var passes = 0
  private var holdsLocal: Set<Int> = []
  /// Where a common gradient was there before: that one, and what local passes have added.
  private var beside: [Int: (common: Tensor, local: Tensor)] = [:]

  /// How the last synchronized pass spent its time.
  private(set) var lastPass = CommunicationTime()
  private var begin = ContinuousClock.now

  init(_ module: Module, _ group: ProcessGroup, bucketBytes: Int) {
    self.group = group
    self.bucketBytes = bucketBytes
    let all = module.parameters
    parameters = { all }
    for (index, parameter) in all.enumerated() {
      positions[parameter.leafIdentity] = index
      parameter.deliverGradients(to: self)
    }
    for case let norm as SyncBatchNorm in module.namedModules.map(\.module) {
      norm.lossWeight = { [weak self] in self?.passSamples ?? 1 }
    }
  }

  private func beginPass() {
    hasBegun = true
    begin = .now
    // Gradients that were set to zero do not count.
    if !holdsLocal.isEmpty, holdsLocal.allSatisfy({ parameters()[$0].grad == nil }) { forget() }
    passes += 1
    let now = parameters().map(\.isFrozen)
    if now != frozen {
      frozen = now
      let trained = now.indices.filter { !now[$0] }
      buckets = GradientBucket.buckets(of: parameters(), trained, bytes: bucketBytes)
      bucketOf = [:]
      for (number, bucket) in buckets.enumerated() {
        for slot in bucket.slots { bucketOf[slot.parameter] = number }
      }
    }
    waitingFor = buckets.map(\.slots.count)
    lastPass = CommunicationTime()
    lastPass.buckets = buckets.count
  }

  /// The samples of this pass: 1 if they were not counted.
  var passSamples: Double { Double(calledSamples ?? 1) }

  func receive(_ gradient: Tensor, of leaf: GradientLeaf) {
    guard let index = positions[ObjectIdentifier(leaf)] else { return }
    if !hasBegun { beginPass() }
    let parameter = parameters()[index]
    if unit == 0 { unit = passSamples }
    var sum = passSamples == unit ? gradient : gradient * (passSamples / max(unit, 1))
    if passSamples == 0 { sum = .zeros(gradient.shape, dtype: gradient.dtype) }
    if let before = local(index) { sum = (sum + before).evaluated() }
    if isLocal {
      let common = beside[index]?.common ?? (holdsLocal.contains(index) ? nil : parameter.grad)
      if let common { beside[index] = (common, sum) }
      parameter.grad = (common.map { $0 + sum } ?? sum).evaluated()
      holdsLocal.insert(index)
      return
    }
    arrived[index] = sum
    guard let bucket = bucketOf[index] else { return }
    waitingFor[bucket] -= 1
    while pending.count < buckets.count, waitingFor[pending.count] == 0 { send() }
  }

  /// What local passes have left of a parameter's gradient.
  private func local(_ index: Int) -> Tensor? {
    beside[index]?.local ?? (holdsLocal.contains(index) ? parameters()[index].grad : nil)
  }

  /// Begins a new accumulation.
  private func forget() {
    (holdsLocal, beside) = ([], [:])
    (unit, samples, passes) = (0, 0, 0)
  }

  /// Starts to send the next bucket.
  private func send() {
    let bucket = buckets[pending.count]
    for slot in bucket.slots where arrived[slot.parameter] == nil {
      // What only local passes have used.
      arrived[slot.parameter] = local(slot.parameter)
    }
    let packed = bucket.packed(
      arrived, factor: max(unit, 1), samples: samples + passSamples)
    lastPass.bytes += packed.count * packed.dtype.byteCount
    pending.append(group.startAllReduce(packed))
  }

  func finishBackward() {
    if !hasBegun { beginPass() }
    hasBegun = false
    if isLocal {
      samples += passSamples
      calledSamples = nil
      return
    }
    while pending.count < buckets.count { send() }
    let end = ContinuousClock.now
    do throws(ProcessGroupError) {
      for (bucket, sent) in zip(buckets, pending) {
        let gradients = bucket.unpacked(try sent.value(), passes: passes)
        for (slot, gradient) in zip(bucket.slots, gradients) {
          guard let gradient else { continue }
          let parameter = parameters()[slot.parameter]
          let before =
            beside[slot.parameter]?.common
            ?? (holdsLocal.contains(slot.parameter) ? nil : parameter.grad)
          parameter.grad = before.map { ($0 + gradient).evaluated() } ?? gradient
        }
      }
    } catch {
      report(error.asTensorError, file: #fileID, line: #line)
    }
    lastPass.backward = end - begin
    lastPass.waiting = .now - end
    for sent in pending { lastPass.transport += sent.time }
    (arrived, pending, calledSamples) = ([:], [], nil)
    forget()
  }
}

/// How a backward pass and the exchange of its gradients shared their time.
public struct CommunicationTime: Sendable, Hashable {
  /// The number of buckets.
  public var buckets = 0
  /// The number of bytes that each process contributed.
  public var bytes = 0
  /// From the first gradient to the last.
  public var backward = Duration.zero
  /// The time that the exchange took.
  public var transport = Duration.zero
  /// The time after the last gradient in which the process waited for the exchange.
  public var waiting = Duration.zero

  /// No time at all.
  public init() {}

  /// Adds the times of another pass.
  public mutating func add(_ other: CommunicationTime) {
    buckets += other.buckets
    bytes += other.bytes
    backward += other.backward
    transport += other.transport
    waiting += other.waiting
  }

  /// The share of the exchange that the backward pass hid: 1 if nothing was waited for.
  public var hidden: Double {
    transport > .zero ? max(0, 1 - waiting / transport) : 1
  }
}
