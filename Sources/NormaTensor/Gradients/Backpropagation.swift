import NormaValues

/// Propagates gradients from results back to the leaves of their histories, in reverse order of
/// creation: an operation comes after everything that used its result.
struct Backpropagation {
  private struct Entry {
    let derivation: Derivation
    var gradient: Tensor?
    /// The sum of the gradients of parts so far.
    var collected: CollectedParts?
    /// Whether a target, or a leaf if there are no targets, can be reached.
    var isWanted = false
    /// The number of inputs in the graph that refer to this and have not had their turn.
    var uses = 0
  }

  private var entries: [Entry] = []
  private var positions: [ObjectIdentifier: Int] = [:]
  /// Entries from oldest to newest; finished ones are removed from the end.
  private var order: [Int] = []
  private let targets: [ObjectIdentifier: Int]
  private let retains: Bool
  private let isRecording: Bool
  /// Leaves whose new gradients may still be pending.
  private var touched: [GradientLeaf] = []
  /// Watched leaves whose gradients are complete.
  private var complete: [Int] = []
  /// Parts that will be computed again and may use any leaf then.
  private var continuations = 0
  private var receivers: [any GradientReceiver] = []
  /// The gradients with respect to the targets.
  private(set) var results: [Tensor?]

  /// - Parameters:
  ///   - targets: the tensors whose gradients are wanted; nil for all leaves, which then accumulate
  ///     them.
  ///   - retains: whether the graph can be used again.
  ///   - isRecording: whether the gradients have histories.
  init(targets: [Tensor]?, retains: Bool, isRecording: Bool) {
    var numbers: [ObjectIdentifier: Int] = [:]
    for (index, target) in (targets ?? []).enumerated() {
      if let history = target.history { numbers[ObjectIdentifier(history)] = index }
    }
    self.targets = numbers
    results = Array(repeating: nil, count: targets?.count ?? 0)
    self.retains = retains
    self.isRecording = isRecording
    keepsLeaves = targets == nil
  }

  private let keepsLeaves: Bool

  /// Adds a result with its gradient, and everything that the result was computed from.
  mutating func add(_ result: Derivation, _ gradient: Tensor) {
    discover(from: result)
    receive(gradient, at: result)
  }

  private mutating func discover(from root: Derivation) {
    let known = entries.count
    var pile = [root]
    note(root, &pile)
    while let derivation = pile.popLast() {
      for case let input? in derivation.links?.inputs ?? [] { note(input, &pile) }
    }
    guard entries.count > known else { return }
    order += known..<entries.count
    order.sort { entries[$0].derivation.number < entries[$1].derivation.number }
    for index in order { entries[index].isWanted = isWanted(entries[index].derivation) }
    if keepsLeaves { for entry in entries[known...] { count(entry.derivation, 1) } }
  }

  /// Adds what a derivation uses to the counts, or takes it away when it had its turn.
  private mutating func count(_ derivation: Derivation, _ change: Int) {
    guard let links = derivation.links else { return }
    if case .continuation = links.rule { continuations += change }
    for case let input? in links.inputs where input.leaf?.isWatched ?? false {
      guard let position = positions[ObjectIdentifier(input)] else { continue }
      entries[position].uses += change
      if entries[position].uses == 0 { complete.append(position) }
    }
  }

  private mutating func note(_ derivation: Derivation, _ pile: inout [Derivation]) {
    let key = ObjectIdentifier(derivation)
    guard positions[key] == nil else { return }
    positions[key] = entries.count
    entries.append(Entry(derivation: derivation))
    pile.append(derivation)
    if keepsLeaves, let receiver = derivation.leaf?.currentReceiver,
      !receivers.contains(where: { $0 === receiver })
    {
      receivers.append(receiver)
    }
  }

  private func isWanted(_ derivation: Derivation) -> Bool {
    if targets[ObjectIdentifier(derivation)] != nil { return true }
    if derivation.leaf != nil { return keepsLeaves }
    // Released derivations are reported when their turn comes.
    guard let links = derivation.links else { return true }
    if case .continuation = links.rule { return true }
    return links.inputs.contains { input in
      guard let input, let position = positions[ObjectIdentifier(input)] else { return false }
      return entries[position].isWanted
    }
  }

  private mutating func receive(_ gradient: Tensor, at derivation: Derivation) {
    guard let position = positions[ObjectIdentifier(derivation)] else { return }
    let fitted = gradient.fitted(to: derivation.shape, derivation.dtype)
    if keepsLeaves, let leaf = derivation.leaf, !leaf.isWatched {
      leaf.add(fitted)
      touched.append(leaf)
      return
    }
    entries[position].gradient = entries[position].gradient.map { $0 + fitted } ?? fitted
  }

  /// - Throws: when the graph was used before and not retained.
  mutating func run(call: String) throws(TensorError) {
    while let position = order.popLast() {
      let derivation = entries[position].derivation
      if keepsLeaves, derivation.leaf != nil {
        finish(position)
        continue
      }
      let ready = complete.count
      if keepsLeaves { count(derivation, -1) }
      guard let gradient = takeGradient(at: position) else { continue }
      if let target = targets[ObjectIdentifier(derivation)] { results[target] = gradient }
      guard derivation.leaf == nil, entries[position].isWanted else { continue }
      if try step(derivation, gradient, call) { finish(first: ready) }
    }
    settle(touched.count)
    for receiver in receivers { receiver.finishBackward() }
  }

  /// Gives the first complete leaves their gradients, unless a part that will be computed again may
  /// use them.
  private mutating func finish(first count: Int) {
    guard continuations == 0 else { return }
    for position in complete[..<count] where entries[position].uses == 0 { finish(position) }
    complete.removeFirst(count)
  }

  /// Gives a watched leaf its gradient: the sum over all its uses.
  private mutating func finish(_ position: Int) {
    guard let leaf = entries[position].derivation.leaf, let gradient = takeGradient(at: position)
    else { return }
    leaf.accept(gradient.evaluated())
    if leaf.currentReceiver == nil { touched.append(leaf) }
  }

  /// Everything that has arrived at an entry.
  private mutating func takeGradient(at position: Int) -> Tensor? {
    let (sum, parts) = (entries[position].gradient, entries[position].collected?.tensor)
    (entries[position].gradient, entries[position].collected) = (nil, nil)
    guard let sum, let parts else { return sum ?? parts }
    return sum + parts
  }

  /// - Returns: whether kernels have run, so that earlier gradients of leaves are fused with them.
  private mutating func step(
    _ derivation: Derivation, _ gradient: Tensor, _ call: String
  ) throws(TensorError) -> Bool {
    guard let links = retains || derivation.isWhole ? derivation.links : derivation.takeLinks()
    else {
      throw TensorError(
        call,
        "a gradient has already passed through \(derivation.call), which released what it saved; "
          + "pass retainGraph: true the first time")
    }
    let wanted = links.inputs.map { input in
      input.flatMap { positions[ObjectIdentifier($0)] }.map { entries[$0].isWanted } ?? false
    }
    let backward = Backward(
      upstream: gradient, derivation, links, wanted: wanted, isRecording: isRecording)
    switch links.rule {
    case .whole:
      if let whole = links.inputs[0] { receive(gradient, at: whole) }
    case .part(let window):
      let before = touched.count
      if let whole = links.inputs[0], let position = positions[ObjectIdentifier(whole)] {
        try collect(gradient, window, at: position, derivation.call)
      }
      settle(before)
    case .continuation(let rule):
      for (result, gradient) in rule(backward) {
        if let history = result.history { add(history, gradient) }
      }
    case .gradients(let rule):
      let before = touched.count
      let gradients = rule(backward)
      Backpropagation.share(links.inputs.indices.map { wanted[$0] ? gradients[$0] : nil })
      for (index, input) in links.inputs.enumerated() where wanted[index] {
        if let input, let gradient = gradients[index] { receive(gradient, at: input) }
      }
      if links.runsAtOnce { settle(before) }
    }
    return links.runsAtOnce
  }

  /// Adds the gradient of a part to those of other parts of the same whole.
  private mutating func collect(
    _ gradient: Tensor, _ window: @escaping Window, at position: Int, _ call: String
  ) throws(TensorError) {
    let whole = entries[position].derivation
    if isRecording {
      receive(try gradient.spread(over: whole.shape, window, call), at: whole)
    } else if entries[position].collected == nil {
      entries[position].collected = try CollectedParts(gradient, of: whole.shape, window)
    } else {
      try entries[position].collected?.add(gradient, window)
    }
  }

  /// A gradient that goes to several inputs, as behind a residual connection, is stored once
  /// instead of being computed for each.
  private static func share(_ gradients: [Tensor?]) {
    for (index, gradient) in gradients.enumerated() {
      guard let node = gradient?.node, node.isPendingElementwise else { continue }
      if gradients[..<index].contains(where: { $0?.node === node }) { node.share() }
    }
  }

  /// Stores the first gradients of leaves, so that they keep nothing of the graph alive.
  private mutating func settle(_ count: Int) {
    for leaf in touched[..<count] { leaf.gradient?.evaluated() }
    touched.removeFirst(count)
  }
}

extension Tensor {
  /// This gradient of a broadcast operand, summed to its shape and cast to its type.
  func fitted(to target: [Int], _ type: DType) -> Tensor {
    summed(to: target).cast(to: type)
  }
}

/// The gradient of a tensor, assembled from the gradients of its parts in memory of its own.
private struct CollectedParts {
  private let storage: Storage
  private let layout: Layout
  private let dtype: DType

  /// Zeros except for the first part.
  init(_ part: Tensor, of shape: [Int], _ window: Window) throws(TensorError) {
    dtype = part.dtype
    layout = part.layout.denseTwin(of: shape)
    storage = try Storage.room(layout, dtype, "backward()")
    storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: storage.byteCount)
    if part.count > 0 { part.write(into: storage, try window(layout), as: dtype) }
  }

  /// Adds a part, which may overlap others, in place: each element is read before it is written.
  func add(_ part: Tensor, _ window: Window) throws(TensorError) {
    guard part.count > 0 else { return }
    let target = try window(layout)
    let node = Node(stored: storage, dtype: dtype, layout: layout)
    (Tensor(node: node, layout: target) + part).write(into: storage, target, as: dtype)
  }

  var tensor: Tensor {
    Tensor(stored: storage, dtype, layout)
  }
}

extension Derivation {
  /// Whether this collects the gradients of parts.
  fileprivate var isWhole: Bool {
    if case .whole = links?.rule { return true }
    return false
  }
}
