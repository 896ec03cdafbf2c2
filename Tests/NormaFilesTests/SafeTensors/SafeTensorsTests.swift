import NormaFiles
import NormaTensor
import Testing

@Suite struct SafeTensorsTests {
  /// A file of another format is named as such, not as a damaged one.
  @Test func otherFormatsAreNamed() {
    let png: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]
    let zip: [UInt8] = [0x50, 0x4b, 5, 6] + [UInt8](repeating: 0, count: 18)
    let pickle: [UInt8] = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8]
    for (bytes, words) in [
      (png, "a PNG image"), (zip, "a NumPy archive"), (pickle, "a PyTorch checkpoint"),
    ] {
      let error = #expect(throws: FileError.self) { try SafeTensors(bytes: bytes) }
      #expect(error?.kind == .unsupported)
      #expect(error?.description.contains("is not a safetensors file: it is \(words)") == true)
    }
  }

  @Test func everyTypeAndShapeSurvives() throws {
    var generator = SplitMix(state: 2)
    var tensors: [String: Tensor] = [:]
    for dtype in DType.allCases {
      for shape in shapes {
        tensors["\(dtype).\(shape) \"ü\"\n"] = Tensor(random: shape, dtype, &generator)
      }
    }
    try withFolder { folder in
      let path = "\(folder)/x.safetensors"
      try SafeTensors.write(tensors, metadata: ["a": "b\u{1}", "format": "pt"], to: path)
      let file = try SafeTensors(contentsOf: path)
      #expect(file.metadata == ["a": "b\u{1}", "format": "pt"])
      #expect(Set(file.keys) == Set(tensors.keys))
      for (name, tensor) in tensors {
        #expect(same(try file.tensor(named: name), tensor), "\(name)")
      }
      #expect(try file.tensors().count == tensors.count)
      #expect(kind { _ = try file["nothing"] } == .missing)
      #expect(kind { _ = try file.tensor(named: "nothing") } == .missing)
      #expect(try Tensor.all(contentsOf: path).count == tensors.count)
      // The bytes depend only on the tensors.
      let first = try Tensor.fileBytes(path)
      try SafeTensors.write(file.tensors(), metadata: file.metadata, to: path)
      #expect(try Tensor.fileBytes(path) == first)
      #expect(try Tensor.fileNames(folder) == ["x.safetensors"])
    }
  }

  @Test func valuesAndBytesOfTheReference() throws {
    let file = try SafeTensors(contentsOf: Fixture.path("all.safetensors"))
    #expect(file.keys == ["i64", "f64", "f32", "i32", "bf16", "f16", "empty", "größe", "bool"])
    #expect(try same(file.tensor(named: "i64"), Tensor([2, 3], .int64, Array(-2...3))))
    #expect(try same(file.tensor(named: "f64"), Tensor([], .float64, [2.5])))
    #expect(
      try same(file.tensor(named: "bf16"), Tensor([2], .bfloat16, [0x3f80, 0xc000] as [UInt16])))
    #expect(try same(file.tensor(named: "größe"), Tensor([3], .uint8, [0, 1, 255] as [UInt8])))
    #expect(try file["empty"].shape == [0, 3])
    #expect(file.metadata == ["format": "pt", "note": "a \"quoted\" note"])
    #expect(file.entries[2].range == 56..<80)
    #expect(file.entries[2].dtype == .float32)
    try withFolder { folder in
      try SafeTensors.write(file.tensors(), metadata: file.metadata, to: "\(folder)/x")
      #expect(try Tensor.fileBytes("\(folder)/x") == Fixture.bytes("all.safetensors"))
    }
  }

  @Test func integersOfTheReference() throws {
    let file = try SafeTensors(contentsOf: Fixture.path("integers.safetensors"))
    func check<T: FixedWidthInteger & TensorElement>(_ type: T.Type, _ name: String) throws {
      let tensor = try file.tensor(named: name)
      #expect(tensor.dtype == T.dtype && tensor.array(of: T.self) == [T.min, 1, T.max])
    }
    try check(Int8.self, "i8")
    try check(Int16.self, "i16")
    try check(Int32.self, "i32")
    try check(Int64.self, "i64")
    try check(UInt8.self, "u8")
    try check(UInt16.self, "u16")
    try check(UInt32.self, "u32")
    try check(UInt64.self, "u64")
    try withFolder { folder in
      try SafeTensors.write(file.tensors(), to: "\(folder)/x")
      #expect(try Tensor.fileBytes("\(folder)/x") == Fixture.bytes("integers.safetensors"))
    }
  }

  @Test func otherTypesAreRefusedWhenAskedFor() throws {
    let file = try SafeTensors(contentsOf: Fixture.path("others.safetensors"))
    #expect(try same(file.tensor(named: "fine"), Tensor([1], .float32, [Float(1.5)])))
    for (name, way) in [
      ("f8", "save x.bfloat16()"), ("c64", "save torch.view_as_real(x)"),
      ("f4", "save x.bfloat16()"),
      ("new", "F64"),
    ] {
      #expect(kind { _ = try file.tensor(named: name) } == .unsupported)
      #expect { try file.tensor(named: name) } throws: { "\($0)".contains(way) }
    }
    #expect(file.entries[0].dtype == nil)
    #expect(file.entries[0].dtypeName == "F8_E4M3")
  }

  @Test func oneTensorOrSeveral() throws {
    let one = try Tensor(contentsOf: Fixture.path("one.safetensors"))
    #expect(same(one, Tensor([2], .float32, [1, 2] as [Float])))
    #expect(kind { _ = try Tensor(contentsOf: Fixture.path("all.safetensors")) } == .unsupported)
    #expect(kind { _ = try Tensor(contentsOf: Fixture.path("none.safetensors")) } == .unsupported)
    #expect(try Tensor.all(contentsOf: Fixture.path("none.safetensors")).isEmpty)
  }

  @Test func rules() throws {
    func file(_ header: String, data: Int = 8, length: Int? = nil) -> [UInt8] {
      let length = UInt64(truncatingIfNeeded: length ?? header.utf8.count)
      return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: data)
    }
    func entry(_ name: String, _ shape: String, _ start: Int, _ end: Int, _ dtype: String = "F32")
      -> String
    {
      "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }
    func kindOf(_ header: String, data: Int = 8, length: Int? = nil) -> FileError.Kind? {
      kind(header) { _ = try SafeTensors(bytes: file(header, data: data, length: length)) }
    }
    let fine = "{\(entry("a", "[1]", 0, 4)),\(entry("b", "[1]", 4, 8))}"
    #expect(try SafeTensors(bytes: file(fine)).keys == ["a", "b"])
    #expect(try SafeTensors(bytes: file(fine + "   ")).keys == ["a", "b"])
    #expect(kindOf(" " + fine) == .malformed)
    #expect(kindOf(fine + "x") == .malformed)
    #expect(kindOf(fine, data: 7) == .truncated)
    #expect(kindOf(fine, data: 9) == .malformed)
    #expect(kindOf(fine, length: 100_000_001) == .malformed)
    #expect(kindOf(fine, length: -1) == .malformed)
    #expect(kindOf(fine, length: 5000) == .truncated)
    #expect(kindOf("") == .malformed)
    #expect(kindOf("[]") == .malformed)
    // A hole, an overlap, the same name twice, sizes that do not fit.
    #expect(kindOf("{\(entry("a", "[1]", 4, 8))}") == .malformed)
    #expect(
      kindOf("{\(entry("a", "[1]", 0, 4)),\(entry("b", "[1]", 2, 6))}", data: 6) == .malformed)
    #expect(kindOf("{\(entry("a", "[1]", 0, 4)),\(entry("a", "[1]", 4, 8))}") == .malformed)
    #expect(kindOf("{\(entry("a", "[3]", 0, 8))}") == .malformed)
    #expect(kindOf("{\(entry("a", "[2]", 8, 0))}") == .malformed)
    #expect(kindOf("{\(entry("a", "[-2]", 0, 8))}") == .malformed)
    #expect(kindOf("{\(entry("a", "[2.0]", 0, 8))}") == .malformed)
    #expect(kindOf("{\(entry("a", "[4611686018427387904,4]", 0, 8))}") == .malformed)
    #expect(kindOf("{\(entry("a", "[0,9223372036854775807,9]", 0, 0))}", data: 0) == .malformed)
    #expect(kindOf("{\(entry("a", "[3]", 0, 1, "F4"))}", data: 1) == .malformed)
    #expect(kindOf("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}") == .malformed)
    #expect(kindOf("{\"a\":1}") == .malformed)
    #expect(kindOf("{\"__metadata__\":{\"a\":1}}", data: 0) == .malformed)
    #expect(kindOf("{\"__metadata__\":[]}", data: 0) == .malformed)
    #expect(kindOf("{\"a\":" + String(repeating: "[", count: 100_000), data: 0) == .malformed)
    #expect(kind { _ = try SafeTensors(bytes: [1, 2, 3]) } == .truncated)
    try withFolder { folder in
      let tensor = Tensor([], .float32, [Float(1)])
      let path = "\(folder)/x"
      #expect(kind { try SafeTensors.write(["__metadata__": tensor], to: path) } == .unsupported)
      let twice = [(key: "a", value: tensor), (key: "a", value: tensor)]
      #expect(kind { try SafeTensors.write(twice, to: path) } == .unsupported)
    }
  }
}
