import NormaTensor

/// What computes the value of a parameter from parameters of its own, each time it is asked for.
///
/// The parameter's layer need not know. In state dictionaries, and to optimizers, the originals take
/// the parameter's place, under PyTorch's names: `parametrizations.weight.original0`.
/// PyTorch: `torch.nn.utils.parametrize`.
public protocol Parametrization: Module {
  /// The value, computed from the originals with a history that leads to them.
  func value() -> Tensor

  /// Changes the originals so that the value becomes this one, as far as that is possible.
  func assign(_ value: Tensor)
}

extension Parameter {
  /// Computes the value from now on by `parametrization`.
  /// PyTorch: `register_parametrization`.
  public func parametrize(by parametrization: any Parametrization) {
    self.parametrization = parametrization
  }

  /// Makes the parameter one of its own again, with the value that it has.
  /// PyTorch: `remove_parametrizations`.
  public func removeParametrization() {
    guard let parametrization else { return }
    let last = parametrization.value().detached().evaluated()
    self.parametrization = nil
    value = last
  }
}

extension Module {
  /// The parameter of this name, which the module itself holds.
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
