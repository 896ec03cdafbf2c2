// Explanations are about networks and tensors.
@_exported import NormaNN
@_exported import NormaTensor
