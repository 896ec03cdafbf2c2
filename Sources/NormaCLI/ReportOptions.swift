import ArgumentParser
import Norma
import NormaExplain

/// `--html FILE`, for every command that explains something.
struct ReportOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also write a page with charts here: one self-contained HTML file without scripts.",
      valueName: "file"))
  var html: String?

  /// Writes the page if one is wanted, after the text, so that the text is printed even if the page
  /// cannot be written.
  ///
  /// - Throws: a `FileError` if the file cannot be written.
  func write(_ page: () throws -> HTMLReport) throws {
    guard let html else { return }
    try page().write(to: html)
  }
}
