import Foundation
import NormaFiles
import NormaTensor
import Testing

@Suite struct CSVTests {
  @Test func columns() throws {
    let table = try CSV(text: "a,b,kind\n1,2.5,cat\n-3,,dog\r\n\n4, 1e3 ,cat\n")
    #expect(table.names == ["a", "b", "kind"] && table.rowCount == 3)
    let x = try table.tensor(["b", "a"])
    #expect(x.shape == [3, 2] && x.dtype == .float32)
    let values = x.array(of: Double.self)
    #expect(values[0] == 2.5 && values[2].isNaN && values[4] == 1000 && values[5] == 4)
    #expect(try table.tensor(["a"], dtype: .int64).array(of: Int.self) == [1, -3, 4])
    let (labels, names) = try table.classes("kind")
    #expect(labels.array(of: Int.self) == [0, 1, 0] && names == ["cat", "dog"])
  }

  @Test func quotes() throws {
    let table = try CSV(
      text: "\u{feff}\"x;1\";\"say \"\"hi\"\"\"\n\"two\nlines\";\r\n",
      options: .init(separator: ";", hasHeader: false))
    #expect(table.names == ["0", "1"])
    #expect(try table.strings("0") == ["x;1", "two\nlines"])
    #expect(try table.strings("1") == ["say \"hi\"", ""])
  }

  @Test(arguments: ["\n", "\r\n", "\r"]) func lineEnds(end: String) throws {
    let table = try CSV(text: ["a,b", "1,2", "", "\"x\(end)y\",4", ""].joined(separator: end))
    #expect(table.names == ["a", "b"] && table.rowCount == 2)
    #expect(try table.strings("a") == ["1", "x\(end)y"])
    #expect(try table.strings("b") == ["2", "4"])
    #expect { try table.tensor() } throws: { "\($0)".contains("line 4, column \"a\"") }
    #expect { try CSV(text: "a\(end)\"1\(end)2\"\(end)3,4") } throws: {
      "\($0)".contains("line 4 has 2")
    }
  }

  @Test func emptyTables() throws {
    #expect(try CSV(text: "").rowCount == 0)
    let header = try CSV(text: "a,b\n")
    #expect(try header.tensor().shape == [0, 2])
  }

  @Test(arguments: [
    ("a,b\n1\n", "line 2 has 1 fields, the first row 2"),
    ("a\n\"open\n", "line 2 is never closed"),
    ("a\n\"x\"y\n", "after a quoted field"),
  ])
  func mistakesAreNamed(text: String, problem: String) {
    #expect { try CSV(text: text) } throws: { "\($0)".contains(problem) }
  }

  @Test func wrongFieldsAreNamed() throws {
    let table = try CSV(text: "a,b\n1,2\n3,x\n300,4\n")
    #expect { try table.tensor() } throws: { "\($0)".contains("line 3, column \"b\": \"x\"") }
    #expect { try table.tensor(["a"], dtype: .uint8) } throws: { "\($0)".contains("line 4") }
    let wide = try CSV(text: "a,b\n1,2\n0,-1\n1,2147483648\n")
    for (dtype, problem) in [
      (.bool, "line 2, column \"b\": \"2\""), (.uint8, "line 3, column \"b\": \"-1\""),
      (.int32, "line 4, column \"b\": \"2147483648\""),
    ] as [(DType, String)] {
      #expect { try wide.tensor(dtype: dtype) } throws: {
        "\($0)".contains("is not a number of \(dtype): \(problem)")
      }
    }
    let large = try CSV(text: "a\n18446744073709551615\n3\n").tensor(dtype: .uint64)
    #expect(large.dtype == .uint64 && large.array(of: UInt64.self) == [.max, 3])
    #expect { try table.strings("c") } throws: { "\($0)".contains("has no column \"c\"") }
    #expect(throws: FileError.self) { try CSV(text: "a", options: .init(separator: "é")) }
    #expect(throws: FileError.self) { try CSV(text: "a", options: .init(decimalMark: "1")) }
    #expect(throws: FileError.self) { try CSV(text: "a", options: .init(thousandsMark: ".")) }
    #expect(throws: FileError.self) { try CSV(text: "a", options: .init(comment: "")) }
    #expect(throws: FileError.self) { try CSV(contentsOf: "/nowhere.csv") }
  }

  @Test func bytesThatAreNoText() throws {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).csv"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data([0x61, 0x0a, 0xff, 0xfe, 0x0a]).write(to: URL(fileURLWithPath: path))
    #expect { try CSV(contentsOf: path) } throws: { "\($0)".contains("is not UTF-8") }
  }
}
