@_exported import NormaNN
