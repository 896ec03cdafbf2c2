import ArgumentParser
import Norma
import NormaExplain

/// `--html FILE`, for every command that explains something.
struct ReportOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Also write a page with charts here: one HTML file without script that loads nothing.",
      valueName: "file"))
  var html: String?

  /// Writes the page where one is wanted, behind the text: a page that cannot be written costs none of
  /// it.
  ///
  /// - Throws: a `FileError` where the file cannot be written.
  func write(_ page: () throws -> HTMLReport) throws {
    guard let html else { return }
    try page().write(to: html)
  }
}
