// Everyone who imports this module works with tensors.
@_exported import NormaTensor
