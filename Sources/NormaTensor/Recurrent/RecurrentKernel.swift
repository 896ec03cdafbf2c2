import CNormaLoops
import NormaKernels

/// Recurrent steps in memory: a product with the weights and a loop over the gates for each step,
/// a few sequences at a time, so that what a step writes is still in cache for the next.
struct RecurrentKernel {
  let operands: RecurrentMemory
  private let steps: Int, batch: Int, width: Int, gates: Int
  private let dtype: DType
  private let formula: RecurrentFormula
  private let isReversed: Bool, isTurned: Bool
  /// Sequences that are computed together.
  private let block: Int

  init(_ all: RecurrentForm, at addresses: KernelAddresses) {
    operands = RecurrentMemory(all, at: addresses)
    (isReversed, isTurned) = (all.isReversed, all.isTurned)
    (steps, batch, width, gates) = (all.steps, all.batch, all.width, all.formula.gates)
    (dtype, formula) = (all.dtype, all.formula)
    block =
      batch < 2 * Limits.recurrentRows ? Limits.recurrentRows / 2 : Limits.recurrentRows
  }

  /// Steps in the order in which they are taken.
  private func step(_ position: Int) -> Int {
    isReversed ? steps - 1 - position : position
  }

  /// Calls `body` with blocks of sequences, on several threads.
  private func forEachBlock(passes: Int, _ body: (Range<Int>) -> Void) {
    // Alone, the library would divide each product among threads.
    norma_team_set_library_threads(1)
    let blocks = (batch + block - 1) / block
    let work = passes * batch * steps * gates * width * (width + 8) / 16
    inParallel(blocks, work: work, threads: TensorThreads.count) { begin, end in
      for index in Int(begin)..<Int(end) {
        body(index * block..<min((index + 1) * block, batch))
      }
    }
  }

  /// The address of the first of `rows` at a step of an array with `numbers` a row.
  private func at(
    _ base: UnsafeMutableRawPointer, step: Int = 0, _ rows: Range<Int>, _ numbers: Int
  ) -> UnsafeMutableRawPointer {
    base + ((step * batch + rows.lowerBound) * numbers) * dtype.byteCount
  }

  private func description(
    _ step: Int, _ rows: Range<Int>, hidden: UnsafeMutableRawPointer,
    cell: UnsafeMutableRawPointer?
  ) -> norma_recurrent_step {
    norma_recurrent_step(
      kind: formula.number, type: dtype.stored, rows: Int64(rows.count), width: Int64(width),
      input: at(operands.gates, step: step, rows, gates * width),
      bias: operands.bias.map { UnsafeRawPointer($0) },
      inner_bias: operands.newBias.map { UnsafeRawPointer($0) }, hidden: hidden,
      cell: cell.map { UnsafeRawPointer($0) },
      valid: operands.valid.map {
        UnsafePointer($0.assumingMemoryBound(to: UInt8.self)) + step * batch + rows.lowerBound
      })
  }

  // MARK: Forward

  /// Writes states, and what the gradient needs. Cells are stored for each step or only the last.
  func run(
    states: UnsafeMutableRawPointer, saved: UnsafeMutableRawPointer?,
    cells: UnsafeMutableRawPointer?
  ) {
    let weights = BlockProduct.Operand(
      operands.recurrent, rows: isTurned ? gates * width : 1,
      columns: isTurned ? 1 : width)
    forEachBlock(passes: 1) { rows in
      let bytes = rows.count * gates * width * dtype.byteCount
      let product = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
      defer { product.deallocate() }
      var hidden = at(operands.hidden, rows, width)
      var cell = operands.cell.map { at($0, rows, width) }
      for position in 0..<steps {
        let index = step(position)
        var step = description(index, rows, hidden: hidden, cell: cell)
        BlockProduct.multiply(
          dtype, m: rows.count, n: gates * width, k: width, .init(hidden, rows: width), weights,
          into: product)
        hidden = at(states, step: index, rows, width)
        // Cells that are not saved overwrite one another behind the states.
        if cell != nil {
          cell = at(cells ?? states, step: cells == nil ? steps : index, rows, width)
        }
        norma_recurrent_forward(
          &step, product, hidden, cell,
          saved.map { at($0, step: index, rows, formula.saved * width) })
      }
      if cells != nil, let cell {
        at(states, step: steps, rows, width)
          .copyMemory(from: cell, byteCount: rows.count * width * dtype.byteCount)
      }
    }
  }

  // MARK: Backward

  /// Writes the gradients of the input's share, and of the products if they differ. `state` gets
  /// three parts: two whose sum is the gradient of the first state, and that of LSTM's first cell.
  func differentiate(
    upstream: UnsafeMutableRawPointer, states: UnsafeMutableRawPointer,
    saved: UnsafeMutableRawPointer?, cells: UnsafeMutableRawPointer?,
    gates gradients: UnsafeMutableRawPointer, products: UnsafeMutableRawPointer?,
    state: UnsafeMutableRawPointer
  ) {
    forEachBlock(passes: 2) { rows in
      let bytes = rows.count * width * dtype.byteCount
      let scratch = UnsafeMutableRawPointer.allocate(
        byteCount: width * dtype.byteCount, alignment: 64)
      defer { scratch.deallocate() }
      let back = at(state, rows, width)
      let direct = at(state, step: 1, rows, width)
      let slope = at(state, step: 2, rows, width)
      for start in [back, direct, slope] {
        start.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
      }
      if formula == .lstm {
        slope.copyMemory(from: at(upstream, step: steps, rows, width), byteCount: bytes)
      }
      for position in (0..<steps).reversed() {
        let index = step(position)
        let before = position > 0 ? step(position - 1) : nil
        var step = description(
          index, rows,
          hidden: before.map { at(states, step: $0, rows, width) }
            ?? at(operands.hidden, rows, width),
          cell: before.flatMap { before in cells.map { at($0, step: before, rows, width) } }
            ?? operands.cell.map { at($0, rows, width) })
        var result = norma_recurrent_result(
          saved: saved.map { UnsafeRawPointer(at($0, step: index, rows, formula.saved * width)) },
          new_hidden: at(states, step: index, rows, width),
          new_cell: cells.map { UnsafeRawPointer(at($0, step: index, rows, width)) },
          upstream: at(upstream, step: index, rows, width), back: back)
        let gate = at(gradients, step: index, rows, gates * width)
        let product = products.map { at($0, step: index, rows, gates * width) }
        norma_recurrent_gradient(&step, &result, direct, slope, gate, product, scratch)
        BlockProduct.multiply(
          dtype, m: rows.count, n: width, k: gates * width,
          .init(product ?? gate, rows: gates * width), .init(operands.recurrent, rows: width),
          into: back)
      }
    }
  }
}
