import CNormaLoops

/// The dimensions over which a program runs, in order of memory, with the strides of each operand.
///
/// Neighbouring axes that every operand sees as one are merged; axes of size 1 vanish.
struct Space: Equatable, Sendable {
  struct Dimension: Equatable, Sendable {
    var size: Int
    /// Of every operand, in elements.
    var strides: [Int]
    var isKept: Bool
    /// Slow to fast.
    var axes: [Int]
  }

  /// One of several dimensions that together are the columns to some operand.
  struct Split: Equatable, Sendable {
    let size: Int
    let stride: Int
  }

  /// Slowest first; where there are reductions, the kept ones before the reduced ones.
  var outer: [Dimension]
  var rows: Dimension
  var columns: Dimension
  var tileRows: Int
  var tileColumns: Int
  /// Whether reductions leave one result per column rather than one per outer kept index.
  var columnsKept = false
  /// By operand, fastest first; empty where `columns` has the one stride.
  var splits: [[Split]] = []
  /// How many rows a tile has where instructions run row by row, and read rows that repeat, and
  /// numbers of single rows, where they lie in memory; 0 where they do not.
  var rowsByRow = 0
  /// Whether the rows of one output of a reduction lie far apart, those of its neighbours between.
  var hasScatteredRows = false

  static let block = Int(NORMA_BLOCK)

  var keptCount: Int { outer.filter(\.isKept).reduce(1) { $0 * $1.size } }

  /// Sorted and merged dimensions. `order` lists the axes from slow to fast.
  static func merged(
    _ shape: [Int], order: [Int], layouts: [Layout], isKept: (Int) -> Bool
  ) -> [Dimension] {
    var dimensions: [Dimension] = []
    for axis in order where shape[axis] != 1 {
      let size = shape[axis]
      if let last = dimensions.last, last.isKept == isKept(axis),
        layouts.indices.allSatisfy({ last.strides[$0] == layouts[$0].strides[axis] * size })
      {
        dimensions[dimensions.count - 1].size *= size
        dimensions[dimensions.count - 1].axes.append(axis)
        for k in layouts.indices {
          dimensions[dimensions.count - 1].strides[k] = layouts[k].strides[axis]
        }
      } else {
        dimensions.append(
          Dimension(
            size: size, strides: layouts.map { $0.strides[axis] }, isKept: isKept(axis),
            axes: [axis]))
      }
    }
    return dimensions
  }

  private static func one(_ operands: Int, isKept: Bool = false) -> Dimension {
    Dimension(
      size: 1, strides: [Int](repeating: 0, count: operands), isKept: isKept, axes: [])
  }

  /// What most programs run over: all operands without gaps in the same order.
  private static func contiguous(_ count: Int, operands: Int) -> Space {
    let columns = Dimension(
      size: count, strides: [Int](repeating: 1, count: operands), isKept: false, axes: [])
    return Space(
      outer: [], rows: one(operands), columns: columns, tileRows: 1,
      tileColumns: min(count, block))
  }

  /// For a program without reductions. Kept axes come first in `order` and stay outside of tiles.
  static func elementwise(
    _ shape: [Int], order: [Int], layouts: [Layout], isKept: (Int) -> Bool = { _ in false }
  ) -> Space {
    if layouts.allSatisfy({ $0.isContiguous && $0.shape == shape && $0.strides.last != 0 }),
      !shape.indices.contains(where: isKept)
    {
      return contiguous(layouts[0].count, operands: layouts.count)
    }
    var outer = merged(shape, order: order, layouts: layouts, isKept: isKept)
    let columns = outer.last?.isKept == false ? outer.removeLast() : one(layouts.count)
    let rows = outer.last?.isKept == false ? outer.removeLast() : one(layouts.count)
    // Rows do not continue each other for some operand, or they would be merged. A tile of one row
    // sees all operands as they lie; only short rows are worth gathering.
    // Operands that repeat a row, as with channels last, fill a block each: fewer rows, so that
    // they all stay in the first-level cache.
    let repeated = layouts.indices.count {
      rows.strides[$0] == 0 && columns.strides[$0] != 0
    }
    let room = block / max((repeated + 1) / 2, 1)
    // Of an operand that lies transposed, a row of the result takes one element from each cache line; a
    // tile as high as a line takes them all.
    let isTurned =
      rows.size >= Limits.turnedRows && columns.size >= 128
      && zip(rows.strides, columns.strides).contains { $0 == 1 && $1 > 1 }
    if isTurned {
      return Space(
        outer: outer, rows: rows, columns: columns, tileRows: Limits.turnedRows,
        tileColumns: min(columns.size, block / Limits.turnedRows))
    }
    let tileRows =
      columns.size < Limits.wholeRow ? max(min(rows.size, room / max(columns.size, 1)), 1) : 1
    return Space(
      outer: outer, rows: rows, columns: columns, tileRows: tileRows,
      tileColumns: min(columns.size, block), rowsByRow: rowsByRow(rows, columns))
  }

  /// The rows of a tile that goes row by row: where every operand has rows without gaps, or a row
  /// that repeats, or one number to a row. A call per row costs less than gathering then.
  private static func rowsByRow(_ rows: Dimension, _ columns: Dimension) -> Int {
    guard rows.size > 1, columns.size >= 16, 2 * columns.size <= block else { return 0 }
    var isWorthIt = false
    for (row, column) in zip(rows.strides, columns.strides) {
      if column == 0 {
        if row != 0 { isWorthIt = true }
      } else if column == 1 && (row == 0 || row != columns.size && columns.size >= Limits.wholeRow)
      {
        isWorthIt = true
      } else if column != 1 || row != columns.size {
        return 0
      }
    }
    return isWorthIt ? block / columns.size : 0
  }

  /// For a program that ends in reductions over the axes that are not kept.
  ///
  /// The tiles and their order follow from the layout of the reduced tensor alone, so that a
  /// reduction gives the same bits whether its source is stored or computed on the way.
  /// - Returns: nil if some operand cannot be cut into these tiles; then the source is stored.
  static func reduction(of source: Layout, layouts: [Layout], isKept: (Int) -> Bool) -> Space? {
    let order = Layout.order(source.shape, source.strides)
    let dimensions = merged(source.shape, order: order, layouts: [source], isKept: isKept)
    var kept = dimensions.filter(\.isKept)
    var reduced = dimensions.filter { !$0.isKept }
    // Short runs are taken across: neighbouring results side by side, the run going down.
    let run = dimensions.last.flatMap { $0.isKept ? nil : $0.size } ?? 0
    let isDown = run == 0 || Space.isDown(run: run, beside: kept.last?.size ?? 0)
    let columns = (isDown ? kept.popLast() : reduced.popLast()) ?? one(1, isKept: isDown)
    let rows = reduced.popLast() ?? one(1)
    let tile =
      isDown
      ? downTile(rows: rows.size, columns: columns.size)
      : (
        rows: max(min(rows.size, (columns.size <= 896 ? block : 0) / columns.size), 1),
        columns: min(columns.size, block)
      )
    let isScattered =
      !isDown && rows.strides[0] > (kept.last?.strides[0] ?? .max) && columns.size < Limits.longRun

    // The same dimensions for all operands.
    func expand(_ dimension: Dimension) -> [Dimension] {
      merged(source.shape, order: dimension.axes, layouts: layouts, isKept: isKept)
    }
    let allRows = expand(rows)
    guard allRows.count <= 1 else { return nil }
    var allColumns = one(layouts.count, isKept: isDown)
    allColumns.size = columns.size
    allColumns.axes = columns.axes
    var splits: [[Split]] = []
    for layout in layouts.indices {
      let parts = merged(
        source.shape, order: columns.axes, layouts: [layouts[layout]], isKept: isKept)
      guard parts.count <= Int(NORMA_MAX_SPLITS) else { return nil }
      allColumns.strides[layout] = parts.last?.strides[0] ?? 0
      splits.append(
        parts.count <= 1 ? [] : parts.reversed().map { Split(size: $0.size, stride: $0.strides[0]) }
      )
    }
    let outerAxes = (kept + reduced).flatMap(\.axes)
    return Space(
      outer: merged(source.shape, order: outerAxes, layouts: layouts, isKept: isKept),
      rows: allRows.first ?? one(layouts.count), columns: allColumns,
      tileRows: tile.rows, tileColumns: tile.columns, columnsKept: isDown, splits: splits,
      hasScatteredRows: isScattered)
  }

  /// Whether runs are reduced across: so many neighbouring results side by side, the run going down.
  static func isDown(run: Int, beside results: Int) -> Bool { run < 16 && results >= 16 }

  /// The tile of a reduction that leaves a result for every column. Columns cost something at the end of
  /// every tile, so tiles are tall.
  static func downTile(rows: Int, columns: Int) -> (rows: Int, columns: Int) {
    let strip = columns <= 256 ? 256 : rows >= 28 ? 64 : (block / rows) & ~15
    let tileColumns = min(columns, strip)
    return (max(min(rows, 2 * block / max(tileColumns, 1)), 1), tileColumns)
  }

  /// For the program that finishes the results of a reduction with this space, strip by strip.
  /// - Returns: nil if some operand does not see the kept axes as the results do.
  func finishing(_ shape: [Int], layouts: [Layout]) -> Space? {
    func expand(_ dimension: Dimension) -> Dimension? {
      let parts = Space.merged(
        shape, order: dimension.axes, layouts: layouts, isKept: { _ in true })
      return parts.count == 1 ? parts[0] : nil
    }
    var kept: [Dimension] = []
    for dimension in outer where dimension.isKept {
      guard let same = expand(dimension) else { return nil }
      kept.append(same)
    }
    guard let columns = expand(columns) else { return nil }
    return Space(
      outer: kept, rows: Space.one(layouts.count), columns: columns, tileRows: 1,
      tileColumns: tileColumns)
  }

  /// The same where the order does not matter (minima, maxima, sums of integers): dimensions as
  /// the operands see them, so that none has to be cut.
  static func unordered(of source: Layout, layouts: [Layout], isKept: (Int) -> Bool) -> Space? {
    let order = Layout.order(source.shape, source.strides)
    guard source.shape.indices.allSatisfy({ !isKept($0) || source.shape[$0] == 1 }) else {
      return reduction(of: source, layouts: layouts, isKept: isKept)
    }
    return elementwise(source.shape, order: order, layouts: layouts)
  }
}
