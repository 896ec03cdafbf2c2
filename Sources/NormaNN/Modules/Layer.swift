import NormaTensor

/// A module that maps one tensor to one tensor. ``Sequential`` holds layers, and they can be
/// summarized, diagnosed, folded and recalibrated as a whole.
///
/// A custom layer or network is a class with one method:
///
///     final class Scale: Module, Layer {
///       let factor = Parameter(Tensor.ones(1))
///       func callAsFunction(_ x: Tensor) -> Tensor { x * factor.value }
///     }
public protocol Layer: Module {
  /// The result for a tensor.
  @_disfavoredOverload
  func callAsFunction(_ x: Tensor) -> Tensor

  /// The result for a tensor; errors name this file and line.
  ///
  /// There is no need to implement this: errors inside a custom layer name the lines of its own
  /// method. Norma's layers are ``PlacedLayer``s.
  func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor
}

extension Layer {
  /// The result for a tensor; errors name the lines of the layer's own method.
  public func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor {
    self.callAsFunction(_:)(x)
  }

  /// The result for a tensor, where the module is only known to be a ``Layer``.
  public func callAsFunction(
    _ x: Tensor, calledFrom file: StaticString = #fileID, at line: UInt = #line
  ) -> Tensor {
    self(x, file: file, line: line)
  }
}

/// A layer whose errors name the file and line of its caller, as Norma's own layers do.
///
/// It implements `callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line)`
/// and passes both arguments on to the calls inside.
public protocol PlacedLayer: Layer {
  /// The result for a tensor; errors name this file and line.
  func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor
}

extension PlacedLayer {
  /// The result for a tensor.
  @_disfavoredOverload
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, file: #fileID, line: #line) }
}
