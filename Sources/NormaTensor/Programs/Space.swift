import CNormaLoops

/// The dimensions over which a program runs, in memory order, with the strides of each operand.
///
/// Adjacent axes that every operand can merge are merged; axes of size 1 are dropped.
struct Space: Equatable, Sendable {
  struct Dimension: Equatable, Sendable {
    var size: Int
    /// For each operand, in elements.
    var strides: [Int]
    var isKept: Bool
    /// Slowest first.
    var axes: [Int]
  }

  /// One of several dimensions that together form the columns of some operand.
  struct Split: Equatable, Sendable {
    let size: Int
    let stride: Int
  }

  /// Slowest first; with reductions, the kept ones before the reduced ones.
  var outer: [Dimension]
  var rows: Dimension
  var columns: Dimension
  var tileRows: Int
  var tileColumns: Int
  /// Whether reductions leave one result per column rather than one per outer kept index.
  var columnsKept = false
  /// For each operand, fastest first; empty if `columns` has a single stride.
  var splits: [[Split]] = []
  /// The number of rows of a tile when instructions run row by row, and read repeated rows and
  /// per-row numbers directly from memory; 0 when they do not.
  var rowsByRow = 0
  /// Whether the rows of one output of a reduction are scattered, with those of its neighbours in
  /// between.
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

  /// The space of most programs: all operands are dense, in the same order.
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
    // Rows are not contiguous for some operand, or they would have been merged. A tile of one row
    // reads all operands directly; only short rows are worth gathering. Operands that repeat a row,
    // as with channels last, fill a block each: fewer rows, so that they all stay in the
    // first-level cache.
    let repeated = layouts.indices.count {
      rows.strides[$0] == 0 && columns.strides[$0] != 0
    }
    let room = block / max((repeated + 1) / 2, 1)
    // If an operand is transposed, a row of the result takes one element from each cache line; a
    // tile as high as a line uses all of them.
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

  /// The number of rows of a tile that runs row by row: if every operand has contiguous rows, a
  /// repeated row, or one number per row. A call per row then costs less than gathering.
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
  /// The tiles and their order depend only on the layout of the reduced tensor, so that a reduction
  /// gives the same bits whether its source is stored or computed in the same program.
  /// - Returns: nil if some operand cannot be divided into these tiles; then the source is stored.
  static func reduction(of source: Layout, layouts: [Layout], isKept: (Int) -> Bool) -> Space? {
    let order = Layout.order(source.shape, source.strides)
    let dimensions = merged(source.shape, order: order, layouts: [source], isKept: isKept)
    var kept = dimensions.filter(\.isKept)
    var reduced = dimensions.filter { !$0.isKept }
    // Short runs are reduced across: adjacent results side by side, with the run going down.
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

  /// Whether runs are reduced across: this many adjacent results side by side, with the run going
  /// down.
  static func isDown(run: Int, beside results: Int) -> Bool { run < 16 && results >= 16 }

  /// The tile of a reduction with a result for every column. Columns have a cost at the end of
  /// every tile, so tiles are tall.
  static func downTile(rows: Int, columns: Int) -> (rows: Int, columns: Int) {
    let strip = columns <= 256 ? 256 : rows >= 28 ? 64 : (block / rows) & ~15
    let tileColumns = min(columns, strip)
    return (max(min(rows, 2 * block / max(tileColumns, 1)), 1), tileColumns)
  }

  /// For the program that finishes the results of a reduction with this space, strip by strip.
  /// - Returns: nil if the kept axes of some operand differ from those of the results.
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

  /// The same if the order does not matter (minima, maxima, sums of integers): the dimensions are
  /// those of the operands, so that none has to be split.
  static func unordered(of source: Layout, layouts: [Layout], isKept: (Int) -> Bool) -> Space? {
    let order = Layout.order(source.shape, source.strides)
    guard source.shape.indices.allSatisfy({ !isKept($0) || source.shape[$0] == 1 }) else {
      return reduction(of: source, layouts: layouts, isKept: isKept)
    }
    return elementwise(source.shape, order: order, layouts: layouts)
  }
}
