import Foundation
import Testing

@testable import NormaCLI

@Suite struct `The scripts that capture networks` {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../Sources/NormaCLI/Capture")

  @Test(arguments: CaptureCommand.Framework.allCases)
  func `are printed as they stand in the repository`(
    framework: CaptureCommand.Framework
  ) throws {
    let name = framework == .torch ? "norma_capture.py" : "norma_capture_numpy.py"
    let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    #expect(CaptureCommand.script(for: framework) == text)
    #expect(text.contains("def capture(model, x, path"))
  }
}
