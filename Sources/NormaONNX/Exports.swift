@_exported import NormaFiles
@_exported import NormaNN
