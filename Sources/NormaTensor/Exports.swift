// Element types, moments and random numbers are part of what a client of tensors writes; the module that they lie in is
// no product.
@_exported import NormaRandom
@_exported import NormaValues
