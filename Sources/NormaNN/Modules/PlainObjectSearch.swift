import NormaTensor

/// Searches for parameters, buffers and modules in objects whose class is not a ``Module``.
///
/// What such an object holds has no name in state dictionaries, and it is unknown whether it is
/// part of the module or belongs elsewhere, as with a cache. So its contents are not used, but
/// reported where they would be missed. An object that refers back to the module, such as the
/// trainer of a network, encloses it and holds no part of it.
struct PlainObjectSearch {
  private let owner: Module
  private var open: [(value: Any, path: String)]
  private var seen: Set<ObjectIdentifier> = []
  private var found: String?
  private var leadsBack = false

  /// The path to the first member in an object that a property of `owner` holds; nil if there is
  /// none.
  static func member(below object: Any, _ path: String, of owner: Module) -> String? {
    var search = PlainObjectSearch(owner: owner, open: [(object, path)])
    while !search.leadsBack, let (value, path) = search.open.popLast() {
      search.look(at: value, path)
    }
    return search.leadsBack ? nil : search.found
  }

  private init(owner: Module, open: [(Any, String)]) {
    self.owner = owner
    self.open = open
  }

  private mutating func look(at value: Any, _ path: String) {
    if let module = value as? Module {
      if module === owner { leadsBack = true }
      guard seen.insert(ObjectIdentifier(module)).inserted else { return }
      found = found ?? path
    } else if value is Parameter || value is Buffer {
      found = found ?? path
      return
    }
    if isPlain(type(of: value)) { return }
    if let collection = value as? any Collection, isPlain(elementType(of: collection)) { return }
    var mirror: Mirror? = Mirror(reflecting: value)
    if mirror?.displayStyle == .class, !(value is Module),
      !seen.insert(ObjectIdentifier(value as AnyObject)).inserted
    {
      return
    }
    while let current = mirror, current.subjectType != Module.self {
      for child in current.children {
        open.append((child.value, child.label.map { "\(path).\($0)" } ?? path))
      }
      mirror = current.superclassMirror
    }
  }
}
