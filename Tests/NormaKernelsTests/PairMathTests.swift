import CNormaLoops
import Foundation
import NormaReference
import Testing

/// Functions of two floats against their definitions in Double.
@Suite struct PairMathTests {
  /// The loops of one function on one instruction-set level.
  struct Pair {
    let level: Int
    let entry: norma_math_entry

    func callAsFunction(_ x: [Float], _ y: [Float]) -> [Float] {
      [Float](unsafeUninitializedCapacity: x.count) { out, count in
        x.withUnsafeBytes { a in
          y.withUnsafeBytes { b in
            entry.f32(x.count, [a.baseAddress, b.baseAddress], out.baseAddress)
          }
        }
        count = x.count
      }
    }

    func inDouble(_ x: [Double], _ y: [Double]) -> [Double] {
      [Double](unsafeUninitializedCapacity: x.count) { out, count in
        x.withUnsafeBytes { a in
          y.withUnsafeBytes { b in
            entry.f64(x.count, [a.baseAddress, b.baseAddress], out.baseAddress)
          }
        }
        count = x.count
      }
    }
  }

  static func levels(of name: String) -> [Pair] {
    (0..<Int(NORMA_MATH_LEVELS)).compactMap { level in
      guard var entry = norma_math_table(Int32(level)) else { return nil }
      while let candidate = entry.pointee.name {
        if String(cString: candidate) == name { return Pair(level: level, entry: entry.pointee) }
        entry += 1
      }
      return nil
    }
  }

  static let functions: [(name: String, exact: @Sendable (Double, Double) -> Double)] = [
    ("pow", { pow($0, $1) }), ("atan2", { atan2($0, $1) }), ("hypot", { hypot($0, $1) }),
    ("xlogy", { $0 == 0 && $1 == $1 ? 0 : $0 * log($1) }),
    ("fmod", { fmod($0, $1) }),
    (
      "remainder",
      { x, y in
        let rest = fmod(x, y)
        return rest != 0 && (y < 0) != (rest < 0) ? rest + y : rest
      }
    ),
  ]

  /// Any pairs of bit patterns, pairs of similar size, and all pairs of special values.
  static func pairs(_ random: inout TestRandom) -> ([Float], [Float]) {
    var (x, y): ([Float], [Float]) = ([], [])
    for k in 0..<60_000 {
      let bits = random.next()
      x.append(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
      y.append(Float(bitPattern: UInt32(truncatingIfNeeded: bits >> 32)))
      if k % 2 == 0 {
        x[k] = Float.random(in: -20...20, using: &random)
        y[k] = Float.random(in: -20...20, using: &random)
        if k % 8 == 0 { y[k] = y[k].rounded() }
      }
    }
    let special: [Float] = [
      0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 2.5, .infinity, -.infinity, .nan,
      .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
      .greatestFiniteMagnitude, 16_777_215, 16_777_216, 16_777_218, 33_554_436,
    ]
    for a in special {
      for b in special {
        x.append(a)
        y.append(b)
      }
    }
    return (x, y)
  }

  @Test(arguments: functions.indices) func staysWithinHalfAnUlp(_ index: Int) throws {
    let (name, exact) = Self.functions[index]
    var random = TestRandom(for: name)
    let (x, y) = Self.pairs(&random)
    let all = Self.levels(of: name)
    let best = try #require(all.last)
    let got = best(x, y)
    for k in x.indices {
      let truth = exact(Double(x[k]), Double(y[k]))
      let rounded = Float(truth)
      let isSame = got[k].isNaN ? truth.isNaN : got[k] == rounded && got[k].sign == truth.sign
      if isSame { continue }
      // Next to the middle of two floats, the other one may be the result.
      let error = abs(Double(got[k]) - truth) / Double(rounded.ulp)
      if !(error <= 0.51) || rounded.isInfinite != got[k].isInfinite {
        Issue.record("\(name)(\(x[k]), \(y[k])) is \(got[k]), not \(truth)")
        return
      }
    }
    for function in all {
      let other = function(x, y)
      let same = zip(got, other).allSatisfy {
        $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN
      }
      #expect(same, "level \(function.level)")
    }
  }

  @Test(arguments: functions.indices) func positionDoesNotMatter(_ index: Int) {
    let x = (0..<37).map { Float($0) * 0.37 - 5 }, y = (0..<37).map { Float($0 % 7) - 2.5 }
    for function in Self.levels(of: Self.functions[index].name) {
      let whole = function(x, y)
      for length in 0...x.count {
        let parts = function(Array(x[..<length]), Array(y[..<length]))
        #expect(zip(parts, whole).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN })
      }
    }
  }

  /// Python's `//`, which computed these numbers.
  @Test func floorDivide() throws {
    let x: [Float] = [-7, 7, .infinity, 1, 0, -0.0, 1, -1, 0.3, 6, -6, 1e30, 5]
    let y: [Float] = [2, -2, 1, 0, 0, 3, .infinity, .infinity, 0.1, 0.1, 0.1, 3, .nan]
    let expected: [Float] = [
      -4, -4, .nan, .infinity, .nan, -0.0, 0, -1, 3, 59, -60, 3.333333383491554e29, .nan,
    ]
    for function in Self.levels(of: "floor_divide") {
      for (k, (value, wanted)) in zip(function(x, y), expected).enumerated() {
        let same = wanted.isNaN ? value.isNaN : value == wanted && value.sign == wanted.sign
        #expect(same, "\(x[k]) // \(y[k]) is \(value), not \(wanted)")
      }
      let wide = function.inDouble([-7, 0.3, 1e300], [2, 0.1, 7])
      #expect(wide == [-4, 2, 1.4285714285714286e299])
    }
  }

  /// Against the definition in Double: to 0.51 ulp, or 1e-10 of the larger operand.
  @Test func sumsOfPowers() throws {
    var random = TestRandom(for: "log_add_exp")
    let (x, y) = Self.pairs(&random)
    func added(_ a: Double, _ b: Double) -> Double { a == b ? 0 : -abs(a - b) }
    let exact: [(String, (Double, Double) -> Double)] = [
      ("log_add_exp", { max($0, $1) + log1p(exp(added($0, $1))) }),
      ("log_add_exp2", { max($0, $1) + log1p(exp2(added($0, $1))) / log(2) }),
    ]
    for (name, definition) in exact {
      let all = Self.levels(of: name)
      let best = try #require(all.last), got = best(x, y)
      for k in x.indices {
        let truth = x[k].isNaN || y[k].isNaN ? .nan : definition(Double(x[k]), Double(y[k]))
        let rounded = Float(truth)
        if truth.isNaN ? got[k].isNaN : got[k] == rounded { continue }
        let larger = Double(max(abs(x[k]), abs(y[k])))
        let allowed = max(0.51 * Double(rounded.ulp), 0.5 * Double(rounded.ulp) + 1e-10 * larger)
        if !(abs(Double(got[k]) - truth) <= allowed) {
          Issue.record("\(name)(\(x[k]), \(y[k])) is \(got[k]), not \(truth)")
          return
        }
      }
      for function in all {
        let same = zip(got, function(x, y)).allSatisfy {
          $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN
        }
        #expect(same, "\(name), level \(function.level)")
      }
    }
  }

  /// Numbers of mpmath, to 1e-13 of their size.
  static let special: [(String, [(Double, Double)])] = [
    (
      "erfinv",
      [
        (0.25, 0.2253120550121781), (-0.5, -0.47693627620446987), (0.75, 0.81341984759761854),
        (0.9375, 1.3171503349861307), (-0.999755859375, -2.5939005131344877),
        (0.9999999403953552, 3.8325068569007109), (0.9999999999999998, 5.8050186831934533),
        (1e-300, 8.862269254527581e-301), (1, .infinity), (-1, -.infinity), (1.5, .nan),
      ]
    ),
    (
      "lgamma",
      [
        (0.25, 1.2880225246980775), (-0.5, 1.2655121234846454), (-2.75, 0.0044878975359557733),
        (7.5, 7.534364236758733), (100.25, 360.28455963776423),
        (10_000_000_000.0, 220258509288.81058), (0, .infinity), (-3, .infinity),
        (-.infinity, .infinity),
      ]
    ),
    (
      "digamma",
      [
        (0.25, -4.2274535333762654), (-0.5, 0.036489973978576521), (-2.75, -1.959055264977997),
        (1.5, 0.036489973978576521), (7.5, 1.9467574842460868), (100.25, 4.6026712432747126),
        (-1e-42, 1e42), (10_000_000_000.0, 23.025850929890457), (-99999.75, 8.3713353113814768),
        (0, -.infinity), (-0.0, .infinity), (-2, .nan), (.infinity, .infinity), (-.infinity, .nan),
      ]
    ),
    (
      "trigamma",
      [
        (0.25, 17.197329154507111), (-0.5, 8.9348022005446793), (-2.75, 19.433868949488464),
        (1.5, 0.93480220054467931), (7.5, 0.1426158966967038), (100.25, 0.010024978698123366),
        (10_000_000_000.0, 1.00000000005e-10), (-99999.75, 19.739198802203717), (0, .infinity),
        (.infinity, 0), (-.infinity, .nan),
      ]
    ),
    (
      "i0",
      [
        (0.25, 1.015686141223608), (-0.5, 1.0634833707413236), (3, 4.8807925858650245),
        (7.984375, 421.3619619166182), (8.015625, 433.8584538412127),
        (-19.75, 34140102.06010144), (20.25, 55579102.84093865), (60.5, 9.677281695836898e24),
        (0, 1), (.infinity, .infinity), (-.infinity, .infinity), (.nan, .nan),
      ]
    ),
    (
      "i0e",
      [
        (0.25, 0.7910171621397194), (-0.5, 0.6450352704491501), (3, 0.2430003541618254),
        (7.984375, 0.14357714840762836), (8.015625, 0.14328685738883248),
        (-19.75, 0.09035429414193132), (20.25, 0.08921713516232105), (60.5, 0.05139693581272072),
        (0, 1), (.infinity, 0), (-.infinity, 0), (.nan, .nan),
      ]
    ),
    (
      "i1",
      [
        (0.25, 0.12597910894546793), (-0.5, -0.2578943053908963), (3, 3.9533702174026093),
        (7.984375, 394.0170463895526), (8.015625, 405.8168566560931),
        (-19.75, -33264251.978947733), (20.25, 54188928.20424874), (60.5, 9.596968066759732e24),
        (0, 0), (.infinity, .infinity), (-.infinity, -.infinity), (.nan, .nan),
      ]
    ),
    (
      "i1e",
      [
        (0.25, 0.09811262869736824), (-0.5, -0.1564208031848717), (3, 0.19682671329730086),
        (7.984375, 0.1342594943484789), (8.015625, 0.13402579009546622),
        (-19.75, -0.0880362924055135), (20.25, 0.08698558783389894),
        (60.5, 0.050970382719785386), (0, 0), (.infinity, 0), (-.infinity, 0), (.nan, .nan),
      ]
    ),
  ]

  @Test(arguments: special.indices) func specialFunctions(_ index: Int) throws {
    let (name, points) = Self.special[index]
    let function = try #require(Self.levels(of: name).first)
    let x = points.map(\.0)
    let wide = function.inDouble(x, x), narrow = function(x.map { Float($0) }, [])
    for (k, (input, truth)) in points.enumerated() {
      if !truth.isFinite {
        #expect(truth.isNaN ? wide[k].isNaN : wide[k] == truth, "\(name)(\(input)): \(wide[k])")
        #expect(truth.isNaN == narrow[k].isNaN, "\(name)(\(input)): \(narrow[k])")
        continue
      }
      #expect(abs(wide[k] - truth) <= 1e-13 * abs(truth) + 1e-15, "\(name)(\(input)): \(wide[k])")
      if Double(Float(input)) == input {
        #expect(
          abs(narrow[k] - Float(truth)) <= Float(truth).ulp, "\(name)(\(input)): \(narrow[k])")
      }
    }
  }

  @Test func zeta() throws {
    let function = try #require(Self.levels(of: "zeta").first)
    let points: [(Double, Double, Double)] = [
      (3, -2.25, -61.948474887030083), (2.5, 0.5, 6.2471106345688115),
      (4, 1000, 3.338336666665e-10), (30, 2.5, 1.1529691685630236e-12),
      (1.5, 3, 1.2588219580922146), (3, -1e6 + 0.25, 62.0125533606001), (2, 0, .infinity),
      (1, 2, .infinity), (0.5, 2, .nan), (2.5, -0.5, .nan),
    ]
    for (s, q, truth) in points {
      let value = function.inDouble([s], [q])[0]
      let tolerance = q < -100 ? 1e-9 : 1e-13
      let near = abs(value - truth) <= tolerance * abs(truth)
      #expect(truth.isNaN ? value.isNaN : value == truth || near, "zeta(\(s), \(q)): \(value)")
    }
  }
}
