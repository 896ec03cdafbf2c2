/// Sums of products over subscripts: `einsum("bij,bjk->bik", a, b)` is a batch of matrix products.
///
/// Each tensor's axes get subscripts, letters between commas; the result has the axes named after
/// the arrow, and all others are summed.
///
/// - Parameters:
///   - equation: letters a ... z and A ... Z; spaces are ignored. A letter twice in one tensor is a
///     diagonal. `...` means all axes without a letter; they broadcast. Without an arrow the result
///     has the axes of `...` and then the letters that occur once, in alphabetical order (capitals
///     first).
///   - tensors: one for each part between commas, all of the same type.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Edge cases: sizes of 1 broadcast, also under a letter. A sum over an axis of size 0 is 0.
///   Products of integers keep their type and wrap; a sum of one tensor of integers gives `int64`.
///   Booleans have no products.
/// - Accuracy: products of two tensors as in ``Tensor/matmul(_:file:line:)``; sums without a
///   product, and products summed to one number per batch, in `float64`; every step is rounded
///   once.
/// - Cost: tensors are multiplied pairwise in the order of least work, each pair as one matrix
///   product, or pending if nothing is summed. Operands whose axes are not in the order of a
///   product are copied. A single tensor is viewed without a copy, and summed in one pass.
/// - PyTorch: `torch.einsum` (with `opt_einsum`'s optimal order).
public func einsum(
  _ equation: String, _ tensors: Tensor..., file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  einsum(equation, tensors, file: file, line: line)
}

/// `einsum` of an array of tensors.
public func einsum(
  _ equation: String, _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if tensors.contains(where: \.isPoisoned) { return .poisoned }
    let call = "einsum(_:_:)"
    let tensors = tensors.map(\.narrowed)
    let plan = try EinsumPlan.kept(equation, shapes: tensors.map(\.shape), call: call)
    for (a, b) in zip(tensors, tensors.dropFirst()) {
      try Tensor.requireFactors(a, b, call: call)
    }
    return try plan.apply(to: tensors)
  }
}

/// A tensor whose axes have subscripts.
private struct EinsumTerm {
  var tensor: Tensor
  var labels: [Int]

  func size(_ labels: [Int]) -> Int {
    self.labels.indices.reduce(1) {
      labels.contains(self.labels[$1]) ? $0 * tensor.shape[$1] : $0
    }
  }

  /// The tensor with the axes of these labels, in their order.
  func ordered(_ labels: [Int]) -> Tensor {
    tensor.permuted(labels.map { label in self.labels.firstIndex(of: label) ?? 0 })
  }

  /// Replaces axes with equal labels by their diagonal, whose label comes last.
  mutating func takeDiagonals() {
    while let second = labels.indices.first(where: { labels[..<$0].contains(labels[$0]) }),
      let first = labels.firstIndex(of: labels[second])
    {
      let label = labels[second]
      let rest = labels.indices.filter { $0 != first && $0 != second }
      tensor = tensor.diagonal(axes: (first, second))
      labels = rest.map { labels[$0] } + [label]
    }
  }

  /// Drops axes of size 1 that are broadcast.
  mutating func dropBroadcast(_ sizes: [Int]) {
    let kept = labels.indices.filter { tensor.shape[$0] == sizes[labels[$0]] }
    guard kept.count < labels.count else { return }
    tensor = tensor.reshaped(kept.map { tensor.shape[$0] })
    labels = kept.map { labels[$0] }
  }

  /// Sums over all labels but these; as a factor, a sum keeps the type of its terms.
  mutating func sum(except kept: Set<Int>, isFactor: Bool) {
    let axes = labels.indices.filter { !kept.contains(labels[$0]) }
    guard !axes.isEmpty else { return }
    let sum = tensor.sum(over: axes)
    tensor = isFactor ? sum.cast(to: tensor.dtype) : sum
    labels = labels.filter(kept.contains)
  }

  /// The product with another term, summed over the labels that are not kept.
  func contracted(with other: EinsumTerm, keeping kept: Set<Int>) throws(TensorError) -> EinsumTerm
  {
    let (a, b) = (self, other)
    let shared = a.labels.filter(b.labels.contains)
    let batch = shared.filter(kept.contains)
    let summed = shared.filter { !kept.contains($0) }
    let left = a.labels.filter { !shared.contains($0) }
    let right = b.labels.filter { !shared.contains($0) }
    let labels = batch + left + right
    if summed.isEmpty || left.isEmpty && right.isEmpty {
      // Elementwise, with the sum, if any, in the same pass.
      let ones = [Int](repeating: 1, count: left.count)
      let first = a.ordered(batch + left + summed)
      let second = b.ordered(batch + right + summed)
      let x = first.reshaped(
        first.shape.prefix(labels.count - right.count) + right.map { _ in 1 }
          + first.shape.suffix(summed.count))
      let y = second.reshaped(
        Array(second.shape.prefix(batch.count)) + ones + second.shape.dropFirst(batch.count))
      let product =
        summed.isEmpty
        ? x * y
        : try x.productSum(
          y, over: Array(labels.count..<(labels.count + summed.count)), call: "einsum(_:_:)")
      return EinsumTerm(tensor: product, labels: labels)
    }
    let (n, k) = (a.size(batch), a.size(summed))
    let lead = batch.isEmpty ? [] : [n]
    let product = a.ordered(batch + left + summed).reshaped(lead + [a.size(left), k])
      .matmul(b.ordered(batch + summed + right).reshaped(lead + [k, b.size(right)]))
    let shape = labels.map { label in
      a.labels.firstIndex(of: label).map { a.tensor.shape[$0] }
        ?? b.labels.firstIndex(of: label).map { b.tensor.shape[$0] } ?? 1
    }
    return EinsumTerm(tensor: product.reshaped(shape), labels: labels)
  }
}

extension EinsumPlan {
  fileprivate func apply(to tensors: [Tensor]) throws(TensorError) -> Tensor {
    var terms = zip(tensors, operands).map { tensor, labels in
      var term = EinsumTerm(tensor: tensor, labels: labels)
      term.takeDiagonals()
      term.dropBroadcast(sizes)
      return term
    }
    for index in terms.indices {
      terms[index].sum(except: needed(outside: [index], terms), isFactor: tensors.count > 1)
    }
    for step in steps {
      let kept = needed(outside: [step.first, step.second], terms)
      terms[step.first] = try terms[step.first].contracted(with: terms[step.second], keeping: kept)
      terms.remove(at: step.second)
    }
    guard let result = terms.first else { return .poisoned }
    return result.ordered(output)
  }

  private func needed(outside indices: [Int], _ terms: [EinsumTerm]) -> Set<Int> {
    terms.indices.reduce(into: Set(output)) { all, index in
      if !indices.contains(index) { all.formUnion(terms[index].labels) }
    }
  }
}
