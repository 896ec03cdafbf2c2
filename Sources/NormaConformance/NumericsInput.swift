/// The generator of badly centered data in the numerics cases.
///
///     x[i] = (hash(i, seed) / 2^32 - 0.5) * (std * sqrt(12)) + mean
///
/// in Double and without a fused multiply-add, then rounded to the type of the case.
func generatedInput(count: Int, mean: Double, std: Double, seed: UInt32) -> [Double] {
  let offset = seed &* 0x9e37_79b9
  let width = std * 3.4641016151377544
  return (0..<count).map { index in
    var hash = UInt32(truncatingIfNeeded: index) &* 2_654_435_761 &+ offset
    hash ^= hash >> 16
    hash = hash &* 0x85eb_ca6b
    hash ^= hash >> 13
    hash = hash &* 0xc2b2_ae35
    hash ^= hash >> 16
    return (Double(hash) / 4_294_967_296 - 0.5) * width + mean
  }
}
