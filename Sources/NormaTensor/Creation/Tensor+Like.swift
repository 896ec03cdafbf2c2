import NormaValues

// Tensors in the shape of another, and in its type if none is given. They have no history.

extension Tensor {
  /// Zeros in the shape of another tensor. PyTorch: `torch.zeros_like`, `torch.empty_like`.
  public static func zeros(
    like other: Tensor, dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    zeros(other.shape, dtype: dtype ?? other.dtype, file: file, line: line)
  }

  /// Ones in the shape of another tensor. PyTorch: `torch.ones_like`.
  public static func ones(
    like other: Tensor, dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    ones(other.shape, dtype: dtype ?? other.dtype, file: file, line: line)
  }

  /// One number in the shape of another tensor. PyTorch: `torch.full_like`.
  public static func full<T: TensorElement>(
    like other: Tensor, _ value: T, dtype: DType? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    full(other.shape, value, dtype: dtype ?? other.dtype, file: file, line: line)
  }

  /// Numbers in `0 ..< 1` in the shape of another tensor. PyTorch: `torch.rand_like`.
  public static func rand(
    like other: Tensor, dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    rand(other.shape, dtype: dtype ?? other.dtype, file: file, line: line)
  }

  /// Normal numbers in the shape of another tensor. PyTorch: `torch.randn_like`.
  public static func randn(
    like other: Tensor, dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    randn(other.shape, dtype: dtype ?? other.dtype, file: file, line: line)
  }

  /// Integers in `low ..< high` in the shape of another tensor. PyTorch: `torch.randint_like`.
  public static func randint(
    like other: Tensor, _ low: Int, _ high: Int, dtype: DType? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    randint(other.shape, low: low, high: high, dtype: dtype ?? other.dtype, file: file, line: line)
  }
}
