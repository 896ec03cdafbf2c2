extension OperatorTable {
  static var microsoftFused: Entries { [:] }
}
