import NormaFiles

/// Reads what needs no library, and is told the trait of what does.
@main struct Files {
  static func main() throws {
    let folder = CommandLine.arguments[1]
    print(try NPZ(contentsOf: "\(folder)/stored.npz").tensors().keys.sorted())
    print(try PyTorchFile(contentsOf: "\(folder)/small-stored.pt").tensors().count, "tensors")
    for name in ["deflated.npz", "one.npy.gz", "gray.jpg"] {
      try showError(name) { _ = try Tensor.all(contentsOf: "\(folder)/\(name)") }
    }
    try showError("png") { _ = try Tensor(png: "\(folder)/gray.jpg") }
    try showError("write") {
      try NPZ.write(["x": Tensor(1.0)], to: "\(folder)/never.npz", compressed: true)
    }
  }

  static func showError(_ name: String, _ body: () throws -> Void) throws {
    do {
      try body()
      print(name, "was no error")
    } catch let error as FileError {
      print("\(name) \(error.kind): \(error.detail)")
    }
  }
}
