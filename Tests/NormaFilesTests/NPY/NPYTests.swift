import NormaFiles
import NormaTensor
import Testing

@Suite struct NPYTests {
  @Test func everyTypeAndShapeSurvives() throws {
    var generator = SplitMix(state: 1)
    try withFolder { folder in
      for dtype in DType.allCases where dtype != .bfloat16 {
        for shape in shapes {
          let tensor = Tensor(random: shape, dtype, &generator)
          try tensor.write(npy: "\(folder)/x.npy")
          #expect(same(try Tensor(npy: "\(folder)/x.npy"), tensor), "\(dtype) \(shape)")
          #expect(same(try Tensor(contentsOf: "\(folder)/x.npy"), tensor), "\(dtype) \(shape)")
        }
      }
    }
  }

  @Test func valuesOfNumPy() throws {
    let signed = Array(-2...3)
    for prefix in ["c", "big"] {
      func read(_ code: String) throws -> Tensor {
        let tensor = try Tensor(npy: Fixture.path("\(prefix)-\(code).npy"))
        #expect(tensor.shape == [2, 3])
        return tensor
      }
      #expect(try same(read("i4"), Tensor([2, 3], .int32, signed.map(Int32.init))))
      #expect(try same(read("i8"), Tensor([2, 3], .int64, signed)))
      #if !(os(macOS) && arch(x86_64))
        #expect(try same(read("f2"), Tensor([2, 3], .float16, signed.map(Float16.init))))
      #endif
      #expect(try same(read("f4"), Tensor([2, 3], .float32, signed.map(Float.init))))
      #expect(try same(read("f8"), Tensor([2, 3], .float64, signed.map(Double.init))))
    }
    let bytes = try Tensor(npy: Fixture.path("c-u1.npy"))
    #expect(same(bytes, Tensor([2, 3], .uint8, (0..<6).map { UInt8($0) })))
    let truth = try Tensor(npy: Fixture.path("c-b1.npy"))
    #expect(same(truth, Tensor([2, 3], .bool, [0, 1, 1, 1, 1, 1] as [UInt8])))
  }

  @Test func writesTheBytesOfNumPy() throws {
    try withFolder { folder in
      for name in try Fixture.names(".npy")
      where name.hasPrefix("c-") || name == "scalar.npy"
        || name.hasPrefix("limits-") && name != "limits-u4.npy"
      {
        try Tensor(npy: Fixture.path(name)).write(npy: "\(folder)/x.npy")
        let written = try Tensor.fileBytes("\(folder)/x.npy")
        #expect(try written == Fixture.bytes(name), "\(name)")
      }
    }
  }

  @Test func fortranOrderBecomesRowMajor() throws {
    let count = 0..<24
    let f4 = try Tensor(npy: Fixture.path("fortran-f4.npy"))
    #expect(same(f4, Tensor([2, 3, 4], .float32, count.map { Float($0) })))
    let i2 = try Tensor(npy: Fixture.path("fortran-big-i2.npy"))
    #expect(same(i2, Tensor([2, 3, 4], .int16, count.map { Int16($0) - 5 })))
    let b1 = try Tensor(npy: Fixture.path("fortran-b1.npy"))
    #expect(same(b1, Tensor([2, 3, 4], .bool, count.map { UInt8($0 % 3 == 0 ? 1 : 0) })))
  }

  @Test func integersKeepTheirType() throws {
    func read(_ code: String) throws -> Tensor {
      try Tensor(npy: Fixture.path("limits-\(code).npy"))
    }
    #expect(try same(read("i1"), Tensor([4], .int8, [-128, -1, 0, 127] as [Int8])))
    #expect(try same(read("i2"), Tensor([4], .int16, [-32768, -1, 0, 32767] as [Int16])))
    #expect(try same(read("u2"), Tensor([4], .uint16, [0, 1, 32768, 65535] as [UInt16])))
    #expect(try same(read("u4"), Tensor([4], .uint32, [0, 1, 1 << 31, .max] as [UInt32])))
    #expect(try same(read("u8"), Tensor([4], .uint64, [0, 1, 1 << 63, .max] as [UInt64])))
  }

  @Test func versionsScalarsAndEmptyArrays() throws {
    let six = Tensor([6], .float32, (0..<6).map { Float($0) })
    #expect(try same(Tensor(npy: Fixture.path("version2.npy")), six))
    #expect(try same(Tensor(npy: Fixture.path("version3.npy")), six))
    #expect(try same(Tensor(npy: Fixture.path("scalar.npy")), Tensor([], .float64, [2.5])))
    #expect(try same(Tensor(npy: Fixture.path("empty.npy")), Tensor([0, 3], .float32, [Float]())))
    let compressed = try Tensor(npy: Fixture.path("one.npy.gz"))
    #expect(try same(compressed, Tensor(npy: Fixture.path("one.npy"))))
  }

  @Test func otherTypesAreRefusedByName() throws {
    let names = try Fixture.names(".npy").filter { $0.hasPrefix("refused") }
    #expect(names.count == 8)
    for name in names {
      #expect(kind(name) { _ = try Tensor(npy: Fixture.path(name)) } == .unsupported, "\(name)")
    }
    let error = #expect(throws: FileError.self) {
      _ = try Tensor(npy: Fixture.path("refused-c8.npy"))
    }
    #expect(error?.problem == "holds dtype \"<c8\"")
    #expect(
      "\(error.map { "\($0)" } ?? "")".contains(
        "complex numbers, which tensors do not support; save x.real"))
    try withFolder { folder in
      let tensor = Tensor([1], .bfloat16, [UInt16(0x3f80)])
      #expect(kind { try tensor.write(npy: "\(folder)/x.npy") } == .unsupported)
      let left = try Tensor.fileNames(folder)
      #expect(left.isEmpty, "a failed write leaves nothing behind")
    }
  }

  @Test func manyAxes() throws {
    try withFolder { folder in
      for rank in [64, 65, 1024] {
        let tensor = Tensor([Int](repeating: 1, count: rank), .float32, [Float(rank)])
        try tensor.write(npy: "\(folder)/x.npy")
        try SafeTensors.write(["x": tensor], to: "\(folder)/x")
        if rank == 64 {
          #expect(try same(Tensor(npy: "\(folder)/x.npy"), tensor))
          #expect(try same(Tensor(contentsOf: "\(folder)/x"), tensor))
          continue
        }
        // No operation takes more; the file can be listed.
        for read in [
          { try Tensor(npy: "\(folder)/x.npy") }, { try Tensor(contentsOf: "\(folder)/x") },
        ] {
          let error = #expect(throws: FileError.self) { _ = try read() }
          #expect(error?.kind == .unsupported)
          #expect("\(error.map { "\($0)" } ?? "")".contains("\(rank) axes"))
        }
        #expect(try SafeTensors(contentsOf: "\(folder)/x").keys == ["x"])
      }
      // A header too long for version 1 is written as version 2, and too many axes to be read.
      let tensor = Tensor([Int](repeating: 1, count: 30_000), .uint8, [UInt8(1)])
      try tensor.write(npy: "\(folder)/x.npy")
      #expect(try Tensor.fileBytes("\(folder)/x.npy")[6] == 2)
      #expect(kind { _ = try Tensor(npy: "\(folder)/x.npy") } == .malformed)
    }
  }

  @Test func truthValuesAreZeroOrOne() throws {
    var bytes = try Fixture.bytes("c-b1.npy")
    bytes[bytes.count - 1] = 0xff
    bytes[bytes.count - 6] = 2
    #expect(try Tensor(npyBytes: bytes).bytes == [1, 1, 1, 1, 1, 1])
  }

  @Test func hostileHeaders() throws {
    func file(_ header: String, _ data: Int = 64) -> [UInt8] {
      let count = header.utf8.count
      return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(count & 255), UInt8(count >> 8)]
        + Array(header.utf8) + [UInt8](repeating: 0, count: data)
    }
    func header(_ shape: String) -> String {
      "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
    }
    func kindOf(_ header: String) -> FileError.Kind? {
      kind(header) { _ = try Tensor(npyBytes: file(header)) }
    }
    let max = "9223372036854775807"
    #expect(kindOf(header("(-1,)")) == .malformed)
    #expect(kindOf(header("(\(max),)")) == .malformed)
    #expect(kindOf(header("(\(max)0,)")) == .malformed)
    #expect(kindOf(header("(4294967296, 4294967296)")) == .malformed)
    #expect(kindOf(header("(0, \(max), \(max))")) == .malformed)
    #expect(kindOf(header("(1000000000000,)")) == .truncated)
    #expect(kindOf(header("(15,)")) == .malformed, "one value too many")
    #expect(kindOf(header("(" + String(repeating: "1,", count: 1025) + ")")) == .malformed)
    #expect(kindOf("{") == .malformed)
    #expect(kindOf("") == .malformed)
    #expect(kindOf(header("(16,)") + "x") == .malformed)
    #expect(kindOf("{'descr': '<f4', 'descr': '<f4', 'shape': (16,)}") == .malformed)
    #expect(kindOf("{'descr': '<f4', 'shape': (16,)}") == .malformed)
    #expect(kindOf("{'descr': '<f4\\'', 'fortran_order': True, 'shape': ()}") == .malformed)
    // What other writers vary: the order of the keys, spaces, quotes, Python 2's long integers.
    let varied = "{ \"shape\":(4L ,4L),'fortran_order' :False,\n'descr':'=f4'}"
    #expect(try Tensor(npyBytes: file(varied)).shape == [4, 4])
  }

  @Test func messages() throws {
    let bytes = try Fixture.bytes("c-f4.npy").dropLast(4)
    let error = #expect(throws: FileError.self) {
      _ = try Tensor(npyBytes: Array(bytes), name: "images.npy")
    }
    #expect(
      error?.description == "Tensor(npyBytes:): images.npy is truncated: the header promises "
        + "shape [2, 3] of float32 (24 bytes) and 20 bytes follow")
  }
}
