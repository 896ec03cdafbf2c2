import NormaTensor

/// A module that maps one tensor to one tensor: what ``Sequential`` holds, and what can be summarized, diagnosed,
/// folded and recalibrated as a whole.
///
/// A layer or network of one's own is a class with one method:
///
///     final class Scale: Module, Layer {
///       let factor = Parameter(Tensor.ones(1))
///       func callAsFunction(_ x: Tensor) -> Tensor { x * factor.value }
///     }
public protocol Layer: Module {
  /// The result for a tensor.
  @_disfavoredOverload
  func callAsFunction(_ x: Tensor) -> Tensor

  /// The result for a tensor; mistakes name this file and line.
  ///
  /// There is nothing to write: mistakes of a layer of one's own name the lines of its method. Norma's layers
  /// are ``PlacedLayer``s.
  func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor
}

extension Layer {
  /// The result for a tensor; mistakes name the lines of the layer's own method.
  public func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor {
    self.callAsFunction(_:)(x)
  }

  /// The result for a tensor, where only ``Layer`` is known of the module.
  public func callAsFunction(
    _ x: Tensor, calledFrom file: StaticString = #fileID, at line: UInt = #line
  ) -> Tensor {
    self(x, file: file, line: line)
  }
}

/// A layer whose mistakes name the file and line of whoever called it, as those of Norma's own layers do.
///
/// It has `callAsFunction(_ x: Tensor, file: StaticString = #fileID, line: UInt = #line)` and hands both on to
/// the calls inside.
public protocol PlacedLayer: Layer {
  /// The result for a tensor; mistakes name this file and line.
  func callAsFunction(_ x: Tensor, file: StaticString, line: UInt) -> Tensor
}

extension PlacedLayer {
  /// The result for a tensor.
  @_disfavoredOverload
  public func callAsFunction(_ x: Tensor) -> Tensor { self(x, file: #fileID, line: #line) }
}
