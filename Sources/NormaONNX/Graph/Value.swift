import NormaTensor

/// A value that flows between the nodes of a graph: a tensor, or a few integers that never were
/// one, such as a shape.
enum Value {
  case tensor(Tensor)
  case host(HostIntegers)

  /// The value as a tensor.
  var tensor: Tensor {
    switch self {
    case .tensor(let tensor): tensor
    case .host(let integers): integers.tensor
    }
  }

  var shape: [Int] {
    switch self {
    case .tensor(let tensor): tensor.shape
    case .host(let integers): integers.shape
    }
  }

  var dtype: DType {
    switch self {
    case .tensor(let tensor): tensor.dtype
    case .host(let integers): integers.dtype
    }
  }

  /// The elements as integers, in row-major order; waits for them.
  var integers: [Int] {
    switch self {
    case .tensor(let tensor): tensor.array(of: Int64.self).map(Int.init)
    case .host(let integers): integers.values
    }
  }

  /// The value in the form in which shapes are computed, if it is made of few integers. Tensors of
  /// other types, or more elements, stay what they are.
  var onHost: Value {
    guard case .tensor(let tensor) = self, tensor.count <= HostIntegers.most,
      HostIntegers.types.contains(tensor.dtype)
    else { return self }
    return .host(HostIntegers(integers, shape: tensor.shape, dtype: tensor.dtype))
  }
}

/// A few integers or Booleans outside of tensors, so that arithmetic on shapes costs no kernels.
struct HostIntegers {
  var values: [Int]
  var shape: [Int]
  var dtype: DType

  /// More elements than this are a tensor.
  static let most = 64
  static let types: Set<DType> = [.int64, .int32, .bool]

  init(_ values: [Int], shape: [Int]? = nil, dtype: DType = .int64) {
    self.values = values
    self.shape = shape ?? [values.count]
    self.dtype = dtype
  }

  var tensor: Tensor {
    let tensor = Tensor(values.map(Int64.init), shape: shape)
    return dtype == .int64 ? tensor : tensor.cast(to: dtype)
  }
}
