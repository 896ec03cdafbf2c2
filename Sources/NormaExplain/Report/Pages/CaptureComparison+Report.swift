extension CaptureComparison {
  /// The comparison as a page with charts.
  public func report(title: String? = nil) -> HTMLReport {
    var report = HTMLReport(title: title ?? "\(first) and \(second)")
    report.verdict = (verdictText, isSame ? .good : .bad)
    report.facts = [("layers", "\(layers.count)")]
    return report
  }
}
