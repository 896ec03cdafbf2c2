import NormaFiles
import Testing

@Suite struct JSONTests {
  @Test func values() throws {
    let text = #" {"a":[1,-2.5e3,true,false,null,"\u00e4\ud83d\ude00\n\/"],"b":{},"c":[] } "#
    let json = try JSON.parse(text)
    let expected: JSON = [
      "a": [1, -2500.0, true, false, nil, "ä😀\n/"], "b": [:], "c": [],
    ]
    #expect(json == expected)
    #expect(json["a"]?[1]?.doubleValue == -2500)
    #expect(json["a"]?[0]?.intValue == 1)
    #expect(json["a"]?[0]?.doubleValue == 1)
    #expect(json["a"]?[9] == nil)
    #expect(json["d"] == nil)
    #expect(json["a"]?[4]?.isNull == true)
    #expect(json["a"]?[2]?.boolValue == true)
    #expect(try JSON.parse("9223372036854775807") == .int(.max))
    #expect(try JSON.parse("-9223372036854775808") == .int(.min))
    #expect(try JSON.parse("9223372036854775808") == .double(0x1p63))
    #expect(try JSON.parse("0.1E+1") == .double(1))
    #expect(try JSON.parse("-0").doubleValue?.sign == .minus)
  }

  @Test func writing() throws {
    let json: JSON = ["a": [1, 2.0, nil, "\u{1}\"\\é"], "b": [["x": []], [1]], "c": [:]]
    #expect(json.text() == #"{"a":[1,2.0,null,"\u0001\"\\é"],"b":[{"x":[]},[1]],"c":{}}"#)
    #expect(
      json.text(indent: 2) == """
        {
          "a": [1, 2.0, null, "\\u0001\\"\\\\é"],
          "b": [
            {
              "x": []
            },
            [1]
          ],
          "c": {}
        }
        """)
    #expect(JSON.array([.double(.nan), .double(.infinity)]).text() == "[null,null]")
    for value in [0.1, 1e300, .leastNonzeroMagnitude, -0.0, 123456789.123, 1e21, 1e16] {
      #expect(try JSON.parse(JSON.double(value).text()).doubleValue == value)
    }
    #expect(try JSON.parse(json.text(indent: 4)) == json)
  }

  @Test func refused() {
    let texts = [
      "", " ", "{", "[", "[1,]", "[,1]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",
      "01", "1.", ".5", "+1", "-", "1e", "1e+", "1e999", "NaN", "Infinity", "-Infinity", "nul",
      "tru", "\"", "\"\\", "\"\\u12", "\"\\u12g4\"", "\"\\x\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
      "\"\\udc00\"", "\"a\nb\"", "1 2", "[1] x", "{\"a\":1,\"a\":2}", "{1:2}", "//x\n1", "'a'",
      String(repeating: "[", count: 1_000_000), String(repeating: "{\"a\":", count: 1_000_000),
      "\u{feff}1", "[1}", "{\"a\":1]",
    ]
    for text in texts {
      #expect(throws: JSONError.self, "\(text.prefix(40))") { try JSON.parse(text) }
    }
    #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xff, 0x22]) }
    #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xc0, 0x80, 0x22]) }
    let deep = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    #expect(throws: Never.self) { try JSON.parse(deep) }
    #expect(throws: JSONError.self) { try JSON.parse("[" + deep + "]") }
    #expect(
      #expect(throws: JSONError.self) { try JSON.parse("[1, x]") }?.description
        == "a value is expected at byte 4")
  }

  @Test func everyDamagedTextIsReadOrRefused() {
    let text = Array(#"{"a":[1,-2.5e-3,true,null,"\u00e4\ud83d\ude00ä"],"b":{"c":false}}"#.utf8)
    for index in text.indices {
      _ = try? JSON.parse(Array(text[..<index]))
      for byte in UInt8.min...UInt8.max {
        var damaged = text
        damaged[index] = byte
        _ = try? JSON.parse(damaged)
      }
    }
  }
}
