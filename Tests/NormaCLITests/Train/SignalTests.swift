import Foundation
import Norma
import Testing

@testable import NormaCLI

/// A process of `norma train` that gets a signal.
@Suite struct SignalTests {
  private let images: SmallImages
  private let file: String

  init() throws {
    images = try SmallImages()
    file = images.folder + "/run.safetensors"
  }

  private final class Marker {}

  /// The command, which lies where the tests do.
  private static var command: URL {
    #if os(macOS)
      Bundle(for: Marker.self).bundleURL.deletingLastPathComponent().appending(path: "norma")
    #else
      Bundle.main.bundleURL.appending(path: "norma")
    #endif
  }

  /// Runs `body` so that processes it starts get signals: threads of Dispatch block them, `nohup`
  /// has SIGHUP ignored, and processes inherit both.
  private static func withSignalsOpen(_ body: () throws -> Void) rethrows {
    var (open, before) = (sigset_t(), sigset_t())
    sigemptyset(&open)
    sigaddset(&open, SIGTERM)
    sigaddset(&open, SIGHUP)
    pthread_sigmask(SIG_UNBLOCK, &open, &before)
    let action = Foundation.signal(SIGHUP, SIG_DFL)
    defer {
      _ = Foundation.signal(SIGHUP, action)
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    try body()
  }

  /// Starts `norma train` with these arguments, sends it `signal` after its first epoch, and
  /// returns the step that its checkpoint was written after.
  private func step(afterSending signal: Int32, _ arguments: [String]) throws -> Int {
    let process = Process()
    process.executableURL = Self.command
    process.arguments =
      ["train", "--data", images.folder, "--threads", "1", "--out", file, "--json"] + arguments
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    try Self.withSignalsOpen { try process.run() }
    // The run is longer than any test may take.
    let watchdog = DispatchWorkItem {
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + 20, execute: watchdog)
    defer { watchdog.cancel() }
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    #expect(line.hasPrefix("{\""), "no line of an epoch, but '\(line)'")
    try FileManager.default.removeItem(atPath: file)
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    let message = String(decoding: errors.fileHandleForReading.availableData, as: UTF8.self)
    try #require(process.terminationReason == .exit, "signal \(signal) was not handled")
    #expect(process.terminationStatus == 128 + signal, "\(message)")
    let checkpoint = try Checkpoint(contentsOf: file)
    let step = try #require(checkpoint.notes["step"].flatMap { Int($0) })
    #expect(
      message.contains("stopped after step \(step) of") && message.contains("--resume \(file)"))
    return step
  }

  /// A run that two signals stopped is where one that was never stopped would be.
  @Test func signalsLeaveACheckpointToGoOnFrom() throws {
    defer { images.remove() }
    let options = ["--epochs", "100000", "--batch", "12", "--width", "2", "--seed", "1"]
    let first = try step(afterSending: SIGTERM, options)
    let second = try step(afterSending: SIGHUP, ["--resume", file])
    #expect(first >= 2 && second > first)

    let whole = try withThreads(1) {
      let run = try TrainingRun(
        TrainingOptions(
          epochs: 100_000, steps: nil, batch: 12, learningRate: 0.1, width: 2, seed: 1),
        ClothingData(folder: images.folder))
      while run.step < second { _ = try run.trainEpoch { _ in run.step < second } }
      return try run.checkpoint().model
    }
    let resumed = try Checkpoint(contentsOf: file).model
    #expect(Set(resumed.keys) == Set(whole.keys))
    for (name, values) in resumed {
      #expect(values.isEqual(to: try #require(whole[name])), "\(name)")
    }
  }
}
