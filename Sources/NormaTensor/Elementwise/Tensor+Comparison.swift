import NormaValues

// Comparisons give Booleans (`bool`), and are pending like arithmetic. NaN is unequal to everything
// and neither less nor greater. A number that an integer tensor's type cannot hold is compared by
// its exact value.

extension Tensor {
  /// Where the elements are equal. Shapes broadcast. PyTorch: `torch.eq`.
  public static func .== (a: Tensor, b: Tensor) -> Tensor {
    comparison(.equal, a, b, call: ".==")
  }

  /// Where the elements are equal; every element is compared with a number.
  public static func .== <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    comparison(.equal, a, Scalar(b), position: 1, call: ".==")
  }

  /// Where the elements are equal; a number is compared with every element.
  public static func .== <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    comparison(.equal, b, Scalar(a), position: 0, call: ".==")
  }

  /// Where the elements differ. Shapes broadcast. PyTorch: `torch.ne`.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor {
    comparison(.notEqual, a, b, call: ".!=")
  }

  /// Where the elements differ; every element is compared with a number.
  public static func .!= <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    comparison(.notEqual, a, Scalar(b), position: 1, call: ".!=")
  }

  /// Where the elements differ; a number is compared with every element.
  public static func .!= <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    comparison(.notEqual, b, Scalar(a), position: 0, call: ".!=")
  }

  /// Where the left element is less. Shapes broadcast. PyTorch: `torch.lt`.
  public static func .< (a: Tensor, b: Tensor) -> Tensor {
    comparison(.less, a, b, call: ".<")
  }

  /// Where the left element is less; every element is compared with a number.
  public static func .< <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    comparison(.less, a, Scalar(b), position: 1, call: ".<")
  }

  /// Where the left element is less; a number is compared with every element.
  public static func .< <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    comparison(.less, b, Scalar(a), position: 0, call: ".<")
  }

  /// Where the left element is less or equal. Shapes broadcast. PyTorch: `torch.le`.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor {
    comparison(.lessOrEqual, a, b, call: ".<=")
  }

  /// Where the left element is less or equal; every element is compared with a number.
  public static func .<= <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    comparison(.lessOrEqual, a, Scalar(b), position: 1, call: ".<=")
  }

  /// Where the left element is less or equal; a number is compared with every element.
  public static func .<= <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    comparison(.lessOrEqual, b, Scalar(a), position: 0, call: ".<=")
  }

  /// Where the left element is greater. Shapes broadcast. PyTorch: `torch.gt`.
  public static func .> (a: Tensor, b: Tensor) -> Tensor {
    comparison(.greater, a, b, call: ".>")
  }

  /// Where the left element is greater; every element is compared with a number.
  public static func .> <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    comparison(.greater, a, Scalar(b), position: 1, call: ".>")
  }

  /// Where the left element is greater; a number is compared with every element.
  public static func .> <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    comparison(.greater, b, Scalar(a), position: 0, call: ".>")
  }

  /// Where the left element is greater or equal. Shapes broadcast. PyTorch: `torch.ge`.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor {
    comparison(.greaterOrEqual, a, b, call: ".>=")
  }

  /// Where the left element is greater or equal; every element is compared with a number.
  public static func .>= <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    comparison(.greaterOrEqual, a, Scalar(b), position: 1, call: ".>=")
  }

  /// Where the left element is greater or equal; a number is compared with every element.
  public static func .>= <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    comparison(.greaterOrEqual, b, Scalar(a), position: 0, call: ".>=")
  }
}
