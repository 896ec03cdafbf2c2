@_exported import NormaExplain
@_exported import NormaFiles
@_exported import NormaKernels
@_exported import NormaNN
@_exported import NormaTensor
