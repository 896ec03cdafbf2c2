// Explanations are of networks, and of tensors.
@_exported import NormaNN
@_exported import NormaTensor
