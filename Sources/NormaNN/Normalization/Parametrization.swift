import NormaTensor

/// Computes the value of a parameter from other parameters, each time it is read.
///
/// The parameter's layer does not need to know about it. In state dictionaries, and for optimizers,
/// the original parameters replace it under PyTorch's names: `parametrizations.weight.original0`.
/// PyTorch: `torch.nn.utils.parametrize`.
public protocol Parametrization: Module {
  /// The value, computed from the original parameters with a gradient history that leads to them.
  func value() -> Tensor

  /// Changes the original parameters so that the value becomes this one, as far as possible.
  func assign(_ value: Tensor)
}

extension Parameter {
  /// Computes the value with `parametrization` from now on.
  /// PyTorch: `register_parametrization`.
  public func parametrize(by parametrization: any Parametrization) {
    self.parametrization = parametrization
  }

  /// Turns the parameter into a plain one again, with its current value. PyTorch:
  /// `remove_parametrizations`.
  public func removeParametrization() {
    guard let parametrization else { return }
    let last = parametrization.value().detached().evaluated()
    self.parametrization = nil
    value = last
  }
}

extension Module {
  /// The module's own parameter with this name.
  func parameter(named name: String, call: String) throws(TensorError) -> Parameter {
    let own = ownCells.compactMap { cell -> (name: String, parameter: Parameter)? in
      guard case .parameter(let parameter) = cell.value else { return nil }
      return (cell.name, parameter)
    }
    guard let found = own.first(where: { $0.name == name }) else {
      let names = own.map(\.name).joined(separator: ", ")
      throw TensorError(
        call, "\(type(of: self)) has no parameter \(name) of its own; it has \(names)")
    }
    return found.parameter
  }
}
