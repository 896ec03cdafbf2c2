import NormaFiles
import NormaTensor

/// Compares random numbers with recorded ones, bit for bit.
///
/// The folder contains `rng.json`, `rng.safetensors` and optionally `rng_big.json` with checksums
/// of large draws. Layers that Norma lacks are drawn here by PyTorch's scheme, since the numbers
/// are what is tested.
///
/// - Throws: if a file cannot be read.
public func runRandomCases(
  in folder: String, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  let entries = try readJSON(folder + "/rng.json")["entries"]?.arrayValue ?? []
  let decoder = CaseDecoder(tensors: try SafeTensors(contentsOf: folder + "/rng.safetensors"))
  var report = ConformanceReport()
  for run in randomRuns(entries) where run.entries.contains(where: { isWanted($0.key) }) {
    run.check(decoder, &report)
  }
  if let big = try? readJSON(folder + "/rng_big.json") {
    for (key, expected) in big["big"]?.objectValue ?? [] where isWanted(key) {
      report.record(key, operation: "big draw") { try checkBigDraw(key, expected) }
    }
  }
  return report
}

/// Entries that continue each other from a seed: the steps of a sequence, the parameters of one
/// module, or a single draw.
private struct RandomRun {
  var entries: [(key: String, json: JSON)]

  /// `42/init/Linear(3,1)` of `42/init/Linear(3,1)/weight`; single draws stand alone.
  static func name(of key: String, _ json: JSON) -> String {
    let kind = json["kind"]?.stringValue ?? ""
    guard kind.hasPrefix("seq_") || kind == "module_init" else { return key }
    return String(key[..<(key.lastIndex(of: "/") ?? key.endIndex)])
  }

  func check(_ decoder: CaseDecoder, _ report: inout ConformanceReport) {
    guard let first = entries.first, let seed = Self.seed(of: first.key) else {
      return report.missing("a key without a seed", cases: entries.count)
    }
    withSeed(seed) {
      let drawn = draws()
      for (index, entry) in entries.enumerated() {
        let kind = entry.json["kind"]?.stringValue ?? entry.key
        report.record(entry.key, operation: kind) {
          guard let actual = drawn[index] else { throw CaseObstacle.unsupported("") }
          return try difference(actual, decoder.tensor(entry.key))
        }
      }
    }
  }

  /// Bits of the seed that starts a key.
  static func seed(of key: String) -> UInt64? {
    let text = key.prefix { $0 != "/" }
    return UInt64(text) ?? Int64(text).map { UInt64(bitPattern: $0) }
  }

  /// The tensor of each entry, nil if it is not known how to draw it.
  private func draws() -> [Tensor?] {
    let json = entries[0].json
    let kind = json["kind"]?.stringValue ?? ""
    if kind == "module_init" {
      let call = json["module"]?.stringValue.flatMap(CallText.init)
      let parameters = call.flatMap(initialParameters)
      let next = Tensor.rand([2])
      return entries.map { entry in
        let name = entry.json["param"]?.stringValue ?? ""
        return parameters.flatMap { name.hasPrefix("torch.rand(2)") ? next : $0[name] }
      }
    }
    if kind == "nn.init" {
      return [json["init"]?.stringValue.flatMap(CallText.init).flatMap(initialized)]
    }
    if kind.hasPrefix("seq_") {
      return entries.map { $0.json["step"]?.stringValue.flatMap(sequenceStep) }
    }
    let count = json["n"]?.intValue ?? 0
    return [CallText(kind).flatMap { draw($0, count: count) }]
  }
}

/// The entries in order, with those that continue each other grouped.
private func randomRuns(_ entries: [JSON]) -> [RandomRun] {
  var runs: [RandomRun] = []
  var last = ""
  for json in entries {
    guard let key = json["key"]?.stringValue else { continue }
    let name = RandomRun.name(of: key, json)
    if name == last, !runs.isEmpty {
      runs[runs.count - 1].entries.append((key, json))
    } else {
      runs.append(RandomRun(entries: [(key, json)]))
    }
    last = name
  }
  return runs
}

/// Where the bits of two tensors differ, or nil.
private func difference(_ actual: Tensor, _ expected: Tensor) -> String? {
  if actual.dtype != expected.dtype { return "dtype \(actual.dtype), not \(expected.dtype)" }
  if actual.shape != expected.shape { return "shape \(actual.shape), not \(expected.shape)" }
  let size = actual.dtype.byteCount
  return actual.withUnsafeBytes { bytes in
    expected.withUnsafeBytes { wanted in
      let byte = zip(bytes, wanted).enumerated().first { $1.0 != $1.1 }?.offset
      return byte.map { "element \($0 / size) of \(bytes.count / size) differs" }
    }
  }
}

/// Checks the ends and checksums of `rand(6,64,224,224)` and the like, and the generator's position
/// after it.
private func checkBigDraw(_ key: String, _ expected: JSON) throws -> String? {
  let text = String(key.drop { $0 != "/" }.dropFirst())
  guard let seed = RandomRun.seed(of: key), let call = CallText(text), let shape = call.ints,
    call.name == "rand" || call.name == "randn"
  else { throw CaseObstacle.unsupported(text) }
  let (bits, next) = withSeed(seed) {
    let tensor = call.name == "rand" ? Tensor.rand(shape) : Tensor.randn(shape)
    return (tensor.array(of: Float.self).map(\.bitPattern), Tensor.rand([4]).array(of: Float.self))
  }
  func hex(_ values: some Sequence<UInt32>) -> [String] {
    values.map { value in
      let digits = String(value, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }
  }
  let found: [(String, [String])] = [
    ("hex_first16", hex(bits.prefix(16))), ("hex_last16", hex(bits.suffix(16))),
    ("next_rand4_hex", hex(next.map(\.bitPattern))), ("xor32", hex([bits.reduce(0, ^)])),
    (
      "wrapping_sum_u64_of_bits",
      [String(bits.reduce(UInt64(0)) { $0 &+ UInt64($1) })]
    ),
  ]
  for (name, values) in found {
    guard let recorded = expected[name] else { continue }
    let wanted =
      recorded.arrayValue?.compactMap(\.stringValue)
      ?? [recorded.stringValue ?? recorded.intValue.map(String.init) ?? ""]
    if wanted != values { return "\(name) is \(values), not \(wanted)" }
  }
  return nil
}
