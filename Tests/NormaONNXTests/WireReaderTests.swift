import NormaFiles
import NormaTensor
import Testing

@testable import NormaONNX

@Suite struct WireReaderTests {
  private func reader(_ bytes: [UInt8]) -> WireReader {
    WireReader(WireSource(InputFile(bytes: bytes, name: "test", operation: "test")))
  }

  @Test func readsEachKindOfField() throws {
    var reader = reader([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69, 0x1d, 0, 0, 0x80, 0x3f])
    let number = try #require(try reader.next())
    #expect(number.number == 1)
    #expect(try reader.integer(number) == 150)
    let text = try #require(try reader.next())
    #expect(try reader.string(text) == "hi")
    let real = try #require(try reader.next())
    #expect(try reader.float(real) == 1)
    #expect(try reader.next() == nil)
  }

  @Test func refusesWhatLeavesTheMessage() throws {
    for bytes: [UInt8] in [[0x12, 0x05, 0x68], [0x08, 0x80], [0x1d, 0, 0], [0x0b], [0x00]] {
      var reader = reader(bytes)
      #expect(throws: FileError.self) {
        while let field = try reader.next() { try reader.skip(field) }
      }
    }
  }

  @Test func refusesDeepNesting() throws {
    var bytes: [UInt8] = [0x08, 0x01]
    for _ in 0..<WireReader.deepest + 1 {
      bytes = [0x0a] + varint(bytes.count) + bytes
    }
    var reader = reader(bytes)
    #expect(throws: FileError.self) {
      while let field = try reader.next() {
        guard field.kind == .bytes else { break }
        reader = try reader.message(field)
      }
    }
  }

  @Test func readsPackedAndSingleElements() throws {
    // dims 3, type float32, then float_data: two packed and one alone.
    let packed: [UInt8] = [0x22, 8, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40]
    let single: [UInt8] = [0x25, 0, 0, 0x40, 0x40]
    let proto = try TensorProto(reader([0x08, 3, 0x10, 1] + packed + single))
    #expect(try proto.tensor(in: nil).array(of: Float.self) == [1, 2, 3])
  }

  private func varint(_ number: Int) -> [UInt8] {
    number < 128 ? [UInt8(number)] : [UInt8(number & 127) | 128] + varint(number >> 7)
  }
}
