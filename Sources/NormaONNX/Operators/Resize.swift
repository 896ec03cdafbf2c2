extension OperatorTable {
  static var resizing: Entries { [:] }
  static var quantized: Entries { [:] }
  static var microsoftFused: Entries { [:] }
}
