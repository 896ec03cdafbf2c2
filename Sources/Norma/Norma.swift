@_exported import NormaExplain
@_exported import NormaFiles
@_exported import NormaRandom
@_exported import NormaValues
@_exported import NormaNN
@_exported import NormaTensor
