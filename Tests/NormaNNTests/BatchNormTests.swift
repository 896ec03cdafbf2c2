import NormaNN
