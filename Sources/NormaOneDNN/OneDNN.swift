import CNormaLoops
import COneDNN

/// The oneDNN library, if the package was built with its trait.
package enum OneDNN {
  /// Whether the package was built with oneDNN. Without it, every call throws
  /// ``OneDNNError/notBuilt``.
  package static var isAvailable: Bool { norma_onednn_version() > 0 }

  /// The version of the loaded library, `2.6.3`; nil without the trait.
  package static var version: String? {
    let number = norma_onednn_version()
    return number > 0 ? "\(number / 10_000).\(number / 100 % 100).\(number % 100)" : nil
  }

  /// Sets the number of threads of the library for this thread. oneDNN divides work both when it
  /// compiles and when it runs, and takes the number that is set for the calling thread: other work
  /// may have left any.
  static func use(threads: Int) {
    norma_team_set_library_threads(Int32(clamping: threads))
  }
}

/// Why oneDNN computed nothing.
package enum OneDNNError: Error, Hashable, CustomStringConvertible {
  /// The package was built without its `OneDNN` trait.
  case notBuilt
  /// An operand has strides that oneDNN cannot read; the matrix must first be copied.
  case unsupportedStrides(operand: String, strides: [Int])
  /// There was not enough memory.
  case outOfMemory
  /// oneDNN returned this status, a `dnnl_status_t`.
  case failed(status: Int)

  init(status: Int32) {
    switch Int(status) {
    case NORMA_ONEDNN_NOT_BUILT: self = .notBuilt
    case NORMA_ONEDNN_OUT_OF_MEMORY: self = .outOfMemory
    default: self = .failed(status: Int(status))
    }
  }

  /// The reason in one sentence.
  package var description: String {
    switch self {
    case .notBuilt: "this package was built without its OneDNN trait"
    case .unsupportedStrides(let operand, let strides):
      "oneDNN cannot read operand \(operand) with strides \(strides); rows or columns must be "
        + "contiguous and must not overlap"
    case .outOfMemory: "oneDNN ran out of memory"
    case .failed(let status): "oneDNN failed with status \(status)"
    }
  }
}
