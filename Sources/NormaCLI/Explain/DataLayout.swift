import ArgumentParser
import Norma

/// The meaning of a file's axes: `nchw`, `nhwc`, `nhw`, ...
struct DataLayout: ExpressibleByArgument {
  let axes: [Character]

  init?(argument: String) {
    axes = Array(argument.lowercased())
    guard axes.first == "n", Set(axes).count == axes.count,
      axes.allSatisfy({ "ncdhwl".contains($0) })
    else { return nil }
  }

  /// The numbers of a file as `[N, C, ...]`.
  static func read(_ path: String, count: Int?, layout: DataLayout?) throws -> Tensor {
    let given = GivenTensor(path)
    let isArray = given.isArchive || path.hasSuffix(".npy")
    var tensor = try given.read(count: count)
    if let count, isArray, tensor.rank > 0, tensor.shape[0] > count { tensor = tensor[0..<count] }
    if !tensor.dtype.isFloatingPoint {
      let isByte = tensor.dtype == .uint8
      tensor = tensor.cast(to: .float32)
      if isByte { tensor = tensor / 255 }
    }
    let arranged = try layout.map { try $0.arrange(tensor) }
    return (arranged ?? guess(tensor, isArray: isArray)).evaluated()
  }

  /// The axes in the layer's order; a missing channel axis becomes one channel.
  func arrange(_ tensor: Tensor) throws -> Tensor {
    guard tensor.rank == axes.count else {
      throw DataError(
        "layout \(String(axes)) has \(axes.count) axes, the data have shape \(tensor.shape)")
    }
    guard let channels = axes.firstIndex(of: "c") else { return tensor.unsqueezed(1) }
    let rest = axes.indices.filter { $0 != 0 && $0 != channels }
    return tensor.permuted([0, channels] + rest)
  }

  /// Images of an IDX file have no channels; arrays are assumed to be `[N, C, ...]`.
  private static func guess(_ tensor: Tensor, isArray: Bool) -> Tensor {
    !isArray && tensor.rank == 3 || tensor.rank == 1 ? tensor.unsqueezed(1) : tensor
  }
}
