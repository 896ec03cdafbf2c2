// How close two sentences are in meaning, by a network from Hugging Face: needs a folder MiniLM,
// as sentence-transformers/all-MiniLM-L6-v2 with tokenizer.json, config.json, model.safetensors.
import Foundation
import Norma
import NormaModels

func compareSentences() throws {
  let tokenizer = try WordPiece(contentsOf: "MiniLM/tokenizer.json")
  let network = try BERT(contentsOf: "MiniLM")
  let (tokens, mask) = tokenizer.encode(["A cat sits.", "A kitten sat down."])
  let vectors = network.sentenceVectors(tokens, mask: mask)
  print((vectors[0] * vectors[1]).sum())
}

if FileManager.default.fileExists(atPath: "MiniLM") {
  try compareSentences()
} else {
  print("There is no folder MiniLM here.")
}
