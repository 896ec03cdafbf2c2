// Element types, moments and random numbers are part of the interface of tensors; the modules that
// define them are not products.
@_exported import NormaRandom
@_exported import NormaValues
