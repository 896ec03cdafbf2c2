import NormaValues

// Comparisons give Booleans (`bool`), and are pending like arithmetic. NaN is unequal to everything
// and neither less nor greater. A number that an integer tensor's type cannot hold is compared by
// its exact value.

extension Tensor {
  /// Where the elements are equal. Shapes broadcast. PyTorch: `torch.eq`.
  public static func .== (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try comparison(.equal, a, b, call: ".==") }
  }

  /// Where the elements are equal; every element is compared with a number.
  public static func .== <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.equal, a, Scalar(b), position: 1, call: ".==")
    }
  }

  /// Where the elements are equal; a number is compared with every element.
  public static func .== <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.equal, b, Scalar(a), position: 0, call: ".==")
    }
  }

  /// Where the elements differ. Shapes broadcast. PyTorch: `torch.ne`.
  public static func .!= (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try comparison(.notEqual, a, b, call: ".!=") }
  }

  /// Where the elements differ; every element is compared with a number.
  public static func .!= <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.notEqual, a, Scalar(b), position: 1, call: ".!=")
    }
  }

  /// Where the elements differ; a number is compared with every element.
  public static func .!= <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.notEqual, b, Scalar(a), position: 0, call: ".!=")
    }
  }

  /// Where the left element is less. Shapes broadcast. PyTorch: `torch.lt`.
  public static func .< (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try comparison(.less, a, b, call: ".<") }
  }

  /// Where the left element is less; every element is compared with a number.
  public static func .< <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.less, a, Scalar(b), position: 1, call: ".<")
    }
  }

  /// Where the left element is less; a number is compared with every element.
  public static func .< <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.less, b, Scalar(a), position: 0, call: ".<")
    }
  }

  /// Where the left element is less or equal. Shapes broadcast. PyTorch: `torch.le`.
  public static func .<= (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try comparison(.lessOrEqual, a, b, call: ".<=") }
  }

  /// Where the left element is less or equal; every element is compared with a number.
  public static func .<= <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.lessOrEqual, a, Scalar(b), position: 1, call: ".<=")
    }
  }

  /// Where the left element is less or equal; a number is compared with every element.
  public static func .<= <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.lessOrEqual, b, Scalar(a), position: 0, call: ".<=")
    }
  }

  /// Where the left element is greater. Shapes broadcast. PyTorch: `torch.gt`.
  public static func .> (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try comparison(.greater, a, b, call: ".>") }
  }

  /// Where the left element is greater; every element is compared with a number.
  public static func .> <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.greater, a, Scalar(b), position: 1, call: ".>")
    }
  }

  /// Where the left element is greater; a number is compared with every element.
  public static func .> <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.greater, b, Scalar(a), position: 0, call: ".>")
    }
  }

  /// Where the left element is greater or equal. Shapes broadcast. PyTorch: `torch.ge`.
  public static func .>= (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try comparison(.greaterOrEqual, a, b, call: ".>=") }
  }

  /// Where the left element is greater or equal; every element is compared with a number.
  public static func .>= <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.greaterOrEqual, a, Scalar(b), position: 1, call: ".>=")
    }
  }

  /// Where the left element is greater or equal; a number is compared with every element.
  public static func .>= <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try comparison(.greaterOrEqual, b, Scalar(a), position: 0, call: ".>=")
    }
  }
}
