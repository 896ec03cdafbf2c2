import Foundation
import NormaFiles
import NormaTensor
import Testing

@Suite struct CSVOptionsTests {
  private func table(_ bytes: [UInt8], _ options: CSV.Options = .init()) throws -> CSV {
    try withFolder { folder in
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/t.csv"))
      return try CSV(contentsOf: "\(folder)/t.csv", options: options)
    }
  }

  private func numbers(_ text: String, _ options: CSV.Options = .init()) throws -> [Double] {
    try CSV(text: text, options: options).tensor(dtype: .float64).array(of: Double.self)
  }

  @Test func missingWordsAreTheSameForNumbersAndClasses() throws {
    let words = CSV.Options.missingWords.sorted()
    let text = "x,y\n" + words.map { "\($0), \"\($0)\"" }.joined(separator: "\n") + "\n1,b\n"
    let table = try CSV(text: text)
    let values = try table.tensor(["x"]).array(of: Double.self)
    #expect(values.dropLast().allSatisfy(\.isNaN) && values.last == 1)
    #expect { try table.classes("y") } throws: {
      "\($0)".contains("has a missing class: line 2, column \"y\": \"\"")
    }
    let (labels, names) = try table.classes("y", missing: -100)
    #expect(names == ["b"] && labels.array(of: Int.self) == words.map { _ in -100 } + [0])
    #expect { try table.tensor(["x"], dtype: .int64) } throws: {
      "\($0)".contains("missing field: line 2, column \"x\": \"\"; int64 has no NaN")
    }
  }

  @Test func otherWordsMayBeMissing() throws {
    let options = CSV.Options(missing: CSV.Options.missingWords.union(["?", "-999"]))
    let values = try numbers("a,b\n?,-999\n1,2\n", options)
    #expect(values[0].isNaN && values[1].isNaN && values[2...] == [1, 2])
    #expect { try numbers("a\n?\n") } throws: { "\($0)".contains("Options.missing lists") }
    let basement = try CSV(text: "a\nNA\nGood\n", options: .init(missing: []))
    #expect(try basement.classes("a").names == ["Good", "NA"])
  }

  @Test func classesOfASecondFileHaveTheNumbersOfTheFirst() throws {
    let names = try CSV(text: "k\ndog\ncat\nemu\n").classes("k").names
    let later = try CSV(text: "n,k\n1,emu\n2,dog\n3,fox\n4,\n")
    #expect(
      try later.classes("k", names: names, missing: -1, unknown: 3).array(of: Int.self)
        == [2, 1, 3, -1])
    #expect { try later.classes("k", names: names) } throws: {
      "\($0)".contains("unknown class: line 4, column \"k\": \"fox\"; known names are \"cat\", ")
    }
    #expect { try later.classes("k", names: names, unknown: 3) } throws: {
      "\($0)".contains("missing class: line 5")
    }
    #expect(throws: FileError.self) { try later.classes("k", names: ["a", "a"], unknown: 0) }
    // A word that is listed is a name, whatever else it is.
    #expect(
      try CSV(text: "k\nNA\n").classes("k", names: ["EU", "NA"]).array(of: Int.self) == [1])
  }

  @Test func spacesAroundFields() throws {
    let text = "a , b\n cat ,\t\" x \" \n cat, y\n"
    let table = try CSV(text: text)
    #expect(table.names == ["a", "b"])
    #expect(try table.strings("a") == ["cat", "cat"] && table.strings("b") == [" x ", "y"])
    let kept = try CSV(text: " a,b\n x ,2 \n", options: .init(trimsSpaces: false))
    #expect(try kept.strings(" a") == [" x "] && kept.tensor(["b"]).array() == [2 as Float])
    let tabs = try CSV(text: "a\tb\n1\t\n", options: .init(separator: "\t"))
    #expect(try tabs.strings("b") == [""])
  }

  @Test func marksOfNumbers() throws {
    let german = CSV.Options(separator: ";", decimalMark: ",", thousandsMark: ".")
    #expect(
      try numbers("a;b\n1,5;-1.234.567,25\n1e3;+12\n", german) == [1.5, -1_234_567.25, 1000, 12])
    #expect(
      try CSV(text: "a;b\n1.234;2\n", options: german).tensor(dtype: .int32).array(of: Int.self)
        == [1234, 2])
    // Google Sheets writes decimal commas in quotes.
    #expect(try numbers("a,b\n\"1,5\",2\n", .init(decimalMark: ",")) == [1.5, 2])
    for wrong in ["1.5", "1.23.456,0", "1,2,3", "1.2345", ".123", "1,5.0"] {
      #expect(throws: FileError.self, "\(wrong)") { try numbers("a;b\n\(wrong);2\n", german) }
    }
    #expect { try numbers("a;b\n1.5;2\n", .init(separator: ";", decimalMark: ",")) } throws: {
      "\($0)".contains("line 2, column \"a\": \"1.5\"")
    }
    #expect { try numbers("a;b\n1,5;2\n", .init(separator: ";")) } throws: {
      "\($0)".contains("decimalMark: \",\" reads")
    }
  }

  @Test func truthIsOneOrZero() throws {
    let table = try CSV(text: "a\ntrue\nFalse\nTRUE\n0\n")
    for dtype in [.float32, .bool, .uint8, .int64] as [DType] {
      #expect(try table.tensor(dtype: dtype).array(of: Int.self) == [1, 0, 1, 0])
    }
  }

  @Test func commentsAreLines() throws {
    let text = "# made by hand\na,b\n1,#2\n # \"open\n3,4\n#"
    let table = try CSV(text: text, options: .init(comment: "#"))
    #expect(try table.strings("b") == ["#2", "4"])
    #expect { try table.tensor(["b"]) } throws: { "\($0)".contains("line 3, column \"b\"") }
  }

  @Test func encodings() throws {
    let text = "größe,€\n1,2\n"
    let windows: [UInt8] =
      [0x67, 0x72, 0xf6, 0xdf, 0x65, 0x2c, 0x80] + Array("\n1,2\n".utf8)
    let units = Array(text.utf16)
    let little = units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let big = units.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    let all: [([UInt8], CSV.Encoding)] = [
      (Array(text.utf8), .utf8), ([0xef, 0xbb, 0xbf] + text.utf8, .latin1),
      ([0xff, 0xfe] + little, .utf8), ([0xfe, 0xff] + big, .windows1252), (little, .utf16),
      (windows, .windows1252),
    ]
    for (bytes, encoding) in all {
      let read = try table(bytes, .init(encoding: encoding))
      #expect(read.names == ["größe", "€"] && read.rowCount == 1)
    }
    #expect(try table(windows, .init(encoding: .latin1)).names == ["größe", "\u{80}"])
    #expect { try table(windows) } throws: { "\($0)".contains("use encoding: .windows1252") }
    #expect { try table(little) } throws: { "\($0)".contains("use encoding: .utf16") }
    #expect(throws: FileError.self) { try table([0xff, 0xfe] + little.dropLast()) }
    #expect(throws: FileError.self) { try table([0xff, 0xfe, 0x00, 0xd8]) }
    #expect(try table([]).rowCount == 0)
  }

  @Test func everyByteOfWindows1252() throws {
    // The Encoding Standard's table, by Foundation.
    for byte in UInt8(0x80)...0xff where ![0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(byte) {
      let expected = String(bytes: [byte], encoding: .windowsCP1252)
      #expect(try table([byte], .init(encoding: .windows1252)).names.first == expected)
    }
  }

  @Test func repeatedNames() throws {
    let text = "a,b,a,a.1,a\n1,2,3,4,5\n"
    #expect { try CSV(text: text) } throws: {
      "\($0)".contains("columns 1 and 3 are named \"a\"")
    }
    let table = try CSV(text: text, options: .init(numbersRepeatedNames: true))
    #expect(table.names == ["a", "b", "a.2", "a.1", "a.3"])
    #expect(try table.tensor(["a.3", "a.1"]).array() == [5, 4] as [Float])
  }

  @Test func wrongSeparatorsAreAsked() throws {
    let options = CSV.Options(separator: ";")
    let asks = "; the table has one column: is \";\" the separator?"
    #expect { try CSV(text: "a;b\n1;2\n").tensor() } throws: { "\($0)".hasSuffix(asks) }
    #expect { try CSV(text: "a;b\n1;2\n").strings("a") } throws: { "\($0)".hasSuffix(asks) }
    #expect { try CSV(text: "a;b\n1,5;2\n") } throws: { "\($0)".hasSuffix(asks) }
    #expect { try CSV(text: "a\tb\n1\t2\n", options: options).tensor() } throws: {
      "\($0)".hasSuffix("is a tab the separator?")
    }
    // Text in one column is not an error.
    let names = try CSV(text: "name;comment\nx;y\n").strings("name;comment")
    #expect(names == ["x;y"])
    #expect(try numbers("sep=;\r\na;b\r\n1;2\r\n") == [1, 2])
    #expect(try CSV(text: "sep=a,b\n1,2\n").names == ["sep=a", "b"])
  }

  @Test func emptyLinesOfOneColumnAreMissing() throws {
    let table = try CSV(text: "\na\n\n1\n \n\n2\n\n\n")
    #expect(table.rowCount == 5)
    #expect(try table.strings("a") == ["", "1", "", "", "2"])
    #expect { try table.tensor(dtype: .int64) } throws: { "\($0)".contains("line 3, column") }
    #expect(try CSV(text: "a,b\n\n1,2\n  \n3,4\n").rowCount == 2)
  }
}
