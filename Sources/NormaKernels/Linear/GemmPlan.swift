/// How a batch of matrix products is divided among threads: a list of pieces of results.
///
/// Rows and columns of results are divided, terms of a sum never, so that the number of pieces
/// cannot change a result.
package struct GemmPlan: Sendable, Equatable {
  /// The number of products.
  package let products: Int
  /// Rows of one result.
  package let m: Int
  /// Columns of one result.
  package let n: Int
  /// The number of threads, at most the number of pieces.
  package let threads: Int
  /// Strips of rows of each result.
  package let rowPieces: Int
  /// Strips of columns of each result.
  package let columnPieces: Int

  /// A strip has a multiple of this many rows or columns, so that few tiles are partial.
  package static let strip = 48

  /// A plan for `products` results of `m` by `n`, each a sum of `k` terms, on up to `threads`.
  ///
  /// Small work stays on one thread: starting a parallel region costs as much as some ten thousand
  /// terms.
  package init(products: Int, m: Int, n: Int, k: Int, threads: Int) {
    self.products = products
    self.m = m
    self.n = n
    let terms = Double(products) * Double(m) * Double(n) * Double(k)
    let wanted = terms < 65_536 ? 1 : max(threads, 1)
    let isEven = products % wanted == 0 || products >= 8 * wanted
    let pieces = isEven ? 1 : wanted
    func strips(_ length: Int) -> Int { max(1, min(pieces, length / Self.strip)) }
    rowPieces = m >= n ? strips(m) : 1
    columnPieces = m >= n ? 1 : strips(n)
    self.threads = max(1, min(wanted, products * rowPieces * columnPieces))
  }

  /// A part of one result.
  package struct Piece: Equatable {
    /// The product that it belongs to.
    package var product: Int
    /// Its rows.
    package var rows: Range<Int>
    /// Its columns.
    package var columns: Range<Int>
  }

  /// The number of pieces.
  package var count: Int { products * rowPieces * columnPieces }

  /// The piece with this index.
  package func piece(_ index: Int) -> Piece {
    let inResult = index % (rowPieces * columnPieces)
    return Piece(
      product: index / (rowPieces * columnPieces),
      rows: Self.part(inResult / columnPieces, of: rowPieces, length: m),
      columns: Self.part(inResult % columnPieces, of: columnPieces, length: n))
  }

  /// The pieces that thread `index` of `threads` computes.
  package func pieces(ofThread index: Int) -> Range<Int> {
    count * index / threads..<count * (index + 1) / threads
  }

  private static func part(_ index: Int, of parts: Int, length: Int) -> Range<Int> {
    func start(_ index: Int) -> Int {
      index == parts ? length : length / strip * index / parts * strip
    }
    return start(index)..<start(index + 1)
  }
}
