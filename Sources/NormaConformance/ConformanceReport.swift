/// The results of the cases in a folder.
public struct ConformanceReport: Sendable {
  /// The number of cases that pass.
  public private(set) var passed = 0
  /// One line for each case that fails: its name and why.
  public private(set) var failures: [String] = []
  /// The number of cases that cannot run because of each missing operation, option or type.
  public private(set) var unsupported: [String: Int] = [:]

  /// An empty report.
  public init() {}

  /// The number of cases that could not be run.
  public var unsupportedCount: Int { unsupported.values.reduce(0, +) }

  /// `12 passed, 0 failed, 3 not supported`
  public var summary: String {
    "\(passed) passed, \(failures.count) failed, \(unsupportedCount) not supported"
  }

  /// The failures, what is missing, and the summary as the last line.
  public var text: String {
    var lines = failures.map { "FAILED \($0)" }
    if !unsupported.isEmpty {
      let names = unsupported.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }
      lines.append("not supported: \(names.joined(separator: ", "))")
    }
    return (lines + [summary]).joined(separator: "\n")
  }

  /// Records one case; `check` returns what is wrong with its results, or nil.
  ///
  /// An obstacle counts as not supported, every other error as a failure.
  mutating func record(_ name: String, operation: String, _ check: () throws -> String?) {
    do {
      if let complaint = try check() {
        failures.append("\(name): \(complaint)")
      } else {
        passed += 1
      }
    } catch CaseObstacle.unsupported(let what) {
      missing(what.isEmpty ? operation : "\(operation) with \(what)")
    } catch CaseObstacle.notWritable(let why) {
      failures.append("\(name): \(why)")
    } catch CaseObstacle.unreadable(let why) {
      failures.append("\(name): unreadable: \(why)")
    } catch {
      failures.append("\(name): \(error)")
    }
  }

  /// Records cases that could not be run.
  mutating func missing(_ what: String, cases: Int = 1) {
    if cases > 0 { unsupported[what, default: 0] += cases }
  }

  /// Adds another report.
  public mutating func add(_ other: ConformanceReport) {
    passed += other.passed
    failures += other.failures
    unsupported.merge(other.unsupported, uniquingKeysWith: +)
  }
}
