import Foundation
import Hummingbird
import Norma

/// The image of a request: a PNG or JPEG file, or gray levels as a JSON array.
enum RequestImage {
  /// The most bytes that a request may send. Small images take a few thousand; the most that a file
  /// of this size unpacks to, 67 million pixels, fits in memory.
  static let byteLimit = 64 << 10

  /// Reads the body of a request; its first bytes decide what it is.
  /// - Returns: gray levels from 0 to 255 of the given shape, `[height, width]`.
  /// - Throws: `HTTPError` with status 400 and what is wrong with the body.
  static func decode(_ body: [UInt8], shape: [Int]) throws -> Tensor {
    let isArray = body.first { !" \t\r\n".utf8.contains($0) } == UInt8(ascii: "[")
    return isArray ? try numbers(body, shape: shape) : try pixels(body, shape: shape)
  }

  private static func numbers(_ body: [UInt8], shape: [Int]) throws -> Tensor {
    let numbers: [Float]
    do {
      numbers = try JSONDecoder().decode([Float].self, from: Data(body))
    } catch {
      throw badRequest("the body begins as a JSON array and is no array of numbers")
    }
    let count = shape[0] * shape[1]
    guard numbers.count == count else {
      throw badRequest(
        "the array has \(numbers.count) numbers; \(sizeText(shape)) = \(count) are needed, "
          + "row by row")
    }
    // False for NaN, too.
    guard numbers.allSatisfy({ (0...255).contains($0) }) else {
      throw badRequest("the array has numbers that are no gray levels from 0 to 255")
    }
    return Tensor(numbers, shape: shape)
  }

  private static func pixels(_ body: [UInt8], shape: [Int]) throws -> Tensor {
    let image: Tensor
    do {
      image = try Tensor(imageBytes: body, channels: 1)
    } catch let error as FileError {
      throw badRequest("the body \(error.problem): \(error.detail)")
    }
    guard image.dtype == .uint8 else {
      throw badRequest("the image has 16 bits a pixel; 8 or less are read")
    }
    let found = Array(image.shape.suffix(2))
    guard found == shape else {
      throw badRequest(
        "the image has \(sizeText(found)) pixels; the network was trained on \(sizeText(shape))")
    }
    return image.squeezed(0)
  }

  private static func badRequest(_ text: String) -> HTTPError {
    HTTPError(.badRequest, message: text)
  }

  private static func sizeText(_ shape: [Int]) -> String { "\(shape[0]) x \(shape[1])" }
}
