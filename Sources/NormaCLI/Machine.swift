import Norma

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// The machine that the program runs on.
enum Machine {
  /// The processor's name and its number of cores: `AMD EPYC, 2 cores`.
  static var name: String {
    let cores = coreCount
    return "\(processor ?? architecture), \(cores == 1 ? "1 core" : "\(cores) cores")"
  }

  /// The number of cores, whether or not this process may use them all.
  static var coreCount: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  private static var architecture: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "unknown processor"
    #endif
  }

  #if canImport(Darwin)
    private static var processor: String? {
      var size = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0 else { return nil }
      var bytes = [UInt8](repeating: 0, count: size)
      guard sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 else {
        return nil
      }
      return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  #else
    /// Some processors, such as Arm's, have no name there.
    private static var processor: String? {
      guard let file = fopen("/proc/cpuinfo", "re") else { return nil }
      defer { fclose(file) }
      var bytes = [CChar](repeating: 0, count: 4096)
      while fgets(&bytes, Int32(bytes.count), file) != nil {
        let line = String(
          decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard line.hasPrefix("model name"), let colon = line.firstIndex(of: ":") else { continue }
        return String(line[line.index(after: colon)...].drop { $0 == " " }.prefix { $0 != "\n" })
      }
      return nil
    }
  #endif
}
