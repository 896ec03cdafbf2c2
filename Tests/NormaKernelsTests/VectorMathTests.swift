import CNormaLoops
import Foundation
import Testing

/// The loops of one function on one instruction-set level.
private struct Function {
  let level: Int
  let entry: norma_math_entry

  func callAsFunction(_ x: [Float]) -> [Float] {
    [Float](unsafeUninitializedCapacity: x.count) { out, count in
      x.withUnsafeBytes { entry.f32(x.count, [$0.baseAddress], out.baseAddress) }
      count = x.count
    }
  }

  func inDouble(_ x: [Double]) -> [Double] {
    [Double](unsafeUninitializedCapacity: x.count) { out, count in
      x.withUnsafeBytes { entry.f64(x.count, [$0.baseAddress], out.baseAddress) }
      count = x.count
    }
  }
}

/// The function of that name on every level this processor has, the baseline first.
private func levels(of name: String) -> [Function] {
  (0..<Int(NORMA_MATH_LEVELS)).compactMap { level in
    guard var entry = norma_math_table(Int32(level)) else { return nil }
    while let candidate = entry.pointee.name {
      if String(cString: candidate) == name { return Function(level: level, entry: entry.pointee) }
      entry += 1
    }
    return nil
  }
}

/// The magnitude of the terms whose sum or difference a function is, if that may be larger than
/// itself.
private func scale(of name: String, at x: Double) -> Double {
  name == "gelu_slope" && abs(x) < 50 ? abs(x) * exp(-x * x / 2) / (2 * Double.pi).squareRoot() : 0
}

/// The distance in units of the last place of the exact value or of a larger scale; infinity where
/// NaN, infinity or the sign of a zero is wrong.
private func ulps(_ got: Float, from exact: Double, scale: Double = 0) -> Double {
  if exact.isNaN { return got.isNaN ? 0 : .infinity }
  let rounded = Float(exact)
  if rounded.isInfinite || !got.isFinite { return got == rounded ? 0 : .infinity }
  if rounded == 0, got == 0 { return got.sign == exact.sign ? 0 : .infinity }
  let magnitude = max(exact.magnitude, scale)
  let size = max(Float(magnitude.nextDown), Float.leastNormalMagnitude)
  let unit = magnitude < Double(size) ? size.nextDown.ulp : size.ulp
  return abs(Double(got) - exact) / Double(unit)
}

/// The worst error over evenly spread bit patterns, which run through all exponents and signs.
private func worstError(
  _ function: Function, _ name: String, _ exact: (Double) -> Double
) -> Double {
  let x = stride(from: UInt64(0), through: UInt64(UInt32.max), by: 30_011).map {
    Float(bitPattern: UInt32($0))
  }
  return zip(x, function(x)).reduce(0) { worst, pair in
    let x = Double(pair.0)
    return max(worst, ulps(pair.1, from: exact(x), scale: scale(of: name, at: x)))
  }
}

/// The loop in double, which PairMathTests compares with numbers of mpmath.
private func inDouble(_ name: String) -> @Sendable (Double) -> Double {
  { levels(of: name).first?.inDouble([$0]).first ?? .nan }
}

/// erfc(z) / 2 for z = -x √½, including the rounding error of z.
private func normalShare(_ x: Double) -> Double {
  let root = 0.5.squareRoot()
  let z = -x * root
  if x.magnitude > 100 || x.isNaN { return erfc(z) / 2 }
  let rest = (-z).addingProduct(-x, root) + x * 4.833646656726457e-17
  return erfc(z) / 2 * (1 - 2 * max(z, 0) * rest)
}

private func gelu(_ x: Double) -> Double { x < -40 ? -0.0 : x * normalShare(x) }

private func geluSlope(_ x: Double) -> Double {
  if x < -38 { return -0.0 }
  let bell = abs(x) < 38 ? exp(-x * x / 2) / (2 * Double.pi).squareRoot() : 0
  return normalShare(x) + (bell == 0 ? 0 : x * bell)
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// Names, definitions, and bounds: the worst errors over all floats, which vector_math_body.h,
/// wide_math_body.h and the bodies after them state, rounded up.
private let functions: [(name: String, exact: @Sendable (Double) -> Double, bound: Double)] = [
  ("exp", { exp($0) }, 0.90), ("expm1", { expm1($0) }, 1.17), ("sigmoid", sigmoid, 2.00),
  ("log", { log($0) }, 0.88), ("log1p", { log1p($0) }, 0.95), ("tanh", { tanh($0) }, 1.43),
  ("erf", { erf($0) }, 1.54), ("sin", { sin($0) }, 1.02), ("cos", { cos($0) }, 1.02),
  ("tan", { tan($0) }, 0.58), ("asin", { asin($0) }, 0.52), ("acos", { acos($0) }, 0.52),
  ("atan", { atan($0) }, 0.55), ("sinh", { sinh($0) }, 0.51), ("cosh", { cosh($0) }, 0.51),
  ("asinh", { asinh($0) }, 0.51), ("acosh", { acosh($0) }, 0.51), ("atanh", { atanh($0) }, 0.51),
  ("exp2", { exp2($0) }, 1.30), ("log2", { log2($0) }, 0.51), ("log10", { log10($0) }, 0.51),
  ("erfc", { erfc($0) }, 0.59), ("gelu", gelu, 0.92), ("gelu_slope", geluSlope, 1.07),
  ("lgamma", { lgamma($0).0 }, 0.55),
  ("digamma", inDouble("digamma"), 0.51),
  ("i0", inDouble("i0"), 0.51), ("i0e", inDouble("i0e"), 0.51), ("i1", inDouble("i1"), 0.51),
  ("i1e", inDouble("i1e"), 0.51),
  ("erfinv", inDouble("erfinv"), 0.59), ("sine_ratio", { $0 == 0 ? 1 : sin($0) / $0 }, 2),
]

@Suite struct VectorMathTests {
  @Test(arguments: functions.indices)
  func staysWithinItsBound(_ index: Int) throws {
    let (name, exact, bound) = functions[index]
    let function = try #require(levels(of: name).last)
    let worst = worstError(function, name, exact)
    #expect(worst <= bound, "\(name): \(worst) ulp")
    #expect(worst > 0.4, "\(name): \(worst) ulp is better than rounding allows")
  }

  @Test(arguments: functions.indices)
  func everyLevelGivesTheSameBits(_ index: Int) throws {
    let all = levels(of: functions[index].name)
    // Dense around one, where most values are, and spread over everything else, NaN included.
    let patterns =
      stride(from: UInt64(0), through: UInt64(UInt32.max), by: 262_139).map { UInt32($0) }
      + stride(from: Float(0.25).bitPattern, to: Float(16).bitPattern, by: 9_973)
    let x = patterns.map { Float(bitPattern: $0) }
    let first = try #require(all.first)
    let baseline = first(x).map(\.bitPattern)
    for function in all.dropFirst() {
      #expect(function(x).map(\.bitPattern) == baseline, "level \(function.level)")
    }
  }

  @Test(arguments: functions.indices)
  func positionDoesNotMatter(_ index: Int) throws {
    let x = (0..<67).map { Float($0) * 0.37 - 9 }
    for function in levels(of: functions[index].name) {
      let whole = function(x).map(\.bitPattern)
      for length in 0...x.count {
        #expect(function(Array(x[..<length])).map(\.bitPattern) == Array(whole[..<length]))
        #expect(function(Array(x[length...])).map(\.bitPattern) == Array(whole[length...]))
      }
    }
  }

  @Test(arguments: functions.indices)
  func outputMayBeTheInput(_ index: Int) throws {
    let x = (0..<37).map { Float($0) * 0.21 - 3 }
    for function in levels(of: functions[index].name) {
      var y = x
      y.withUnsafeMutableBytes {
        function.entry.f32(x.count, [UnsafeRawPointer($0.baseAddress)], $0.baseAddress)
      }
      #expect(y.map(\.bitPattern) == function(x).map(\.bitPattern))
    }
  }

  @Test(arguments: functions.indices)
  func doublesGoToLibm(_ index: Int) throws {
    let (name, exact, _) = functions[index]
    let x = (0..<37).map { Double($0) * 0.21 - 3 }
    let function = try #require(levels(of: name).first)
    for (x, got) in zip(x, function.inDouble(x)) {
      let wanted = exact(x)
      let unit = max(wanted.magnitude, scale(of: name, at: x)).ulp
      #expect(got == wanted || (got.isNaN && wanted.isNaN) || abs(got - wanted) <= 2 * unit)
    }
  }

  /// Results that are exact by definition: name, input, output; NaN matches any NaN.
  private static let special: [(String, Float, Float)] = [
    ("exp", 0, 1), ("exp", -0.0, 1), ("exp", .infinity, .infinity), ("exp", -.infinity, 0),
    ("exp", 88.72284, .infinity), ("exp", 1e30, .infinity),
    ("exp", -103.97208, .leastNonzeroMagnitude), ("exp", -103.97209, 0), ("exp", -1e30, 0),
    ("exp", .leastNonzeroMagnitude, 1),
    ("expm1", 0, 0), ("expm1", -0.0, -0.0), ("expm1", .infinity, .infinity),
    ("expm1", -.infinity, -1), ("expm1", -100, -1), ("expm1", 100, .infinity),
    ("expm1", -.leastNonzeroMagnitude, -.leastNonzeroMagnitude),
    ("sigmoid", 0, 0.5), ("sigmoid", -0.0, 0.5), ("sigmoid", .infinity, 1),
    ("sigmoid", -.infinity, 0), ("sigmoid", -103.97208, .leastNonzeroMagnitude),
    ("log", 1, 0), ("log", 0, -.infinity), ("log", -0.0, -.infinity), ("log", .infinity, .infinity),
    ("log", -1, .nan), ("log", -.infinity, .nan), ("log", -.leastNonzeroMagnitude, .nan),
    ("log", .leastNonzeroMagnitude, -103.27893), ("log", .leastNormalMagnitude, -87.33655),
    ("log", .greatestFiniteMagnitude, 88.72284),
    ("log1p", 0, 0), ("log1p", -0.0, -0.0), ("log1p", -1, -.infinity), ("log1p", -1.5, .nan),
    ("log1p", .infinity, .infinity), ("log1p", -.infinity, .nan),
    ("log1p", .greatestFiniteMagnitude, 88.72284),
    ("log1p", .leastNonzeroMagnitude, .leastNonzeroMagnitude),
    ("tanh", 0, 0), ("tanh", -0.0, -0.0), ("tanh", .infinity, 1), ("tanh", -.infinity, -1),
    ("tanh", 9.5, 1), ("tanh", -9.5, -1),
    ("tanh", -.leastNonzeroMagnitude, -.leastNonzeroMagnitude),
    ("erf", 0, 0), ("erf", -0.0, -0.0), ("erf", .infinity, 1), ("erf", -.infinity, -1),
    ("erf", 4, 1), ("erf", -4, -1), ("erf", -.leastNonzeroMagnitude, -.leastNonzeroMagnitude),
    ("sin", 0, 0), ("sin", -0.0, -0.0), ("sin", .infinity, .nan), ("sin", -.infinity, .nan),
    ("sin", -.leastNonzeroMagnitude, -.leastNonzeroMagnitude), ("cos", 0, 1), ("cos", -0.0, 1),
    ("cos", .infinity, .nan), ("cos", -.infinity, .nan), ("cos", .leastNonzeroMagnitude, 1),
    ("sin", .greatestFiniteMagnitude, -0.521_876_5), ("cos", .greatestFiniteMagnitude, 0.853_021),
    ("tan", -0.0, -0.0), ("tan", .infinity, .nan), ("tan", .greatestFiniteMagnitude, -0.611_797_9),
    ("tan", -.leastNonzeroMagnitude, -.leastNonzeroMagnitude),
    ("asin", -0.0, -0.0), ("asin", 1, 1.5707964), ("asin", -1.0000001, .nan),
    ("asin", .infinity, .nan),
    ("acos", 1, 0), ("acos", -1, 3.1415927), ("acos", 0, 1.5707964), ("acos", 1.0000001, .nan),
    ("atan", -0.0, -0.0), ("atan", .infinity, 1.5707964), ("atan", -.infinity, -1.5707964),
    ("sinh", -0.0, -0.0), ("sinh", -.infinity, -.infinity), ("sinh", 89.5, .infinity),
    ("cosh", 0, 1), ("cosh", -.infinity, .infinity), ("cosh", -89.5, .infinity),
    ("asinh", -0.0, -0.0), ("asinh", -.infinity, -.infinity), ("acosh", 1, 0),
    ("acosh", 0.99999994, .nan), ("acosh", .infinity, .infinity), ("acosh", -1e30, .nan),
    ("atanh", -0.0, -0.0), ("atanh", 1, .infinity), ("atanh", -1, -.infinity), ("atanh", 2, .nan),
    ("exp2", -149, .leastNonzeroMagnitude), ("exp2", -151, 0), ("exp2", 128, .infinity),
    ("exp2", -.infinity, 0), ("exp2", 10, 1024), ("exp2", -0.0, 1),
    ("log2", 0, -.infinity), ("log2", -0.0, -.infinity), ("log2", -1, .nan), ("log2", 1, 0),
    ("log2", .infinity, .infinity), ("log2", .leastNonzeroMagnitude, -149), ("log2", 8, 3),
    ("log10", 0, -.infinity), ("log10", -1, .nan), ("log10", 1000, 3),
    ("log10", .infinity, .infinity),
    ("erfc", 0, 1), ("erfc", .infinity, 0), ("erfc", -.infinity, 2), ("erfc", -10, 2),
    ("erfc", 10.06, 0), ("erfc", 11, 0), ("gelu", 0, 0), ("gelu", -0.0, -0.0),
    ("gelu", .infinity, .infinity), ("gelu", -.infinity, -0.0), ("gelu", -15, -0.0), ("gelu", 6, 6),
    ("erfinv", 1, .infinity), ("erfinv", -1, -.infinity), ("erfinv", -0.0, -0.0),
    ("erfinv", 1.0000001, .nan), ("erfinv", -.infinity, .nan),
    ("erfinv", -.leastNonzeroMagnitude, -.leastNonzeroMagnitude),
    ("gelu_slope", 0, 0.5), ("gelu_slope", .infinity, 1), ("gelu_slope", -.infinity, -0.0),
    ("gelu_slope", -16, -0.0),
  ]

  @Test func specialValuesAreExact() {
    for (name, input, output) in Self.special + functions.map({ ($0.name, .nan, .nan) }) {
      for function in levels(of: name) {
        let got = function([input])[0]
        let same = output.isNaN ? got.isNaN : got.bitPattern == output.bitPattern
        #expect(same, "\(name)(\(input)) is \(got), not \(output), on level \(function.level)")
      }
    }
  }

  @Test func theMeasureOfErrorCanFail() {
    #expect(ulps(1, from: 1) == 0)
    #expect(ulps(Float(1).nextUp, from: 1) == 1)
    #expect(ulps(Float(1).nextDown, from: 1) == 0.5)
    #expect(ulps(Float(1).nextDown, from: 1 - 0x1p-40) > 0.99)
    #expect(ulps(.leastNonzeroMagnitude, from: 0) == 1)
    #expect(ulps(-0.0, from: 0) == .infinity)
    #expect(ulps(.nan, from: 1) == .infinity)
    #expect(ulps(1, from: .nan) == .infinity)
    #expect(ulps(.greatestFiniteMagnitude, from: .infinity) == .infinity)
  }
}
