import NormaTensor

/// A parameter, buffer or module that a module holds, at any depth inside values.
struct Member {
  let name: String
  /// The property's declared name, and the path inside its value.
  let path: String
  let value: AnyObject
}

extension Module {
  /// The stored properties, superclasses first, starting below ``Module``, whose own properties do
  /// not belong to the network.
  var storedProperties: [Mirror.Child] {
    var mirrors: [Mirror] = []
    var mirror: Mirror? = Mirror(reflecting: self)
    while let current = mirror, current.subjectType != Module.self {
      mirrors.append(current)
      mirror = current.superclassMirror
    }
    return mirrors.reversed().flatMap(\.children)
  }

  /// What the stored properties hold; values are searched element by element.
  var members: [(name: String, value: AnyObject)] {
    var search = MemberSearch(self)
    for property in storedProperties {
      if let label = property.label { search.add(property: label, property.value) }
    }
    return search.found.map { ($0.name, $0.value) }
  }
}

/// Searches a module's properties for members.
private struct MemberSearch {
  private let owner: Module
  private(set) var found: [Member] = []
  private var positions: [String: Int] = [:]
  /// Names in state dictionaries, by property, as given by the module's class.
  private let stateNames: [String: String]

  init(_ owner: Module) {
    self.owner = owner
    stateNames = type(of: owner).stateNames
  }

  private func stateName(_ property: String) -> String {
    stateNames[property] ?? property.snakeCased
  }

  mutating func add(property label: String, _ value: Any) {
    let lazyPrefix = "$__lazy_storage_$_"
    guard label.hasPrefix(lazyPrefix) else { return add(stateName(label), label, value) }
    let name = String(label.dropFirst(lazyPrefix.count))
    if let storage = value as? any OptionalValue, storage.isNil, storage.mayHoldMembers {
      refuse(
        "the lazy property \(name) has not been made, so its parameters are unknown; use it in "
          + "init, or declare it without lazy")
    }
    add(stateName(name), name, value)
  }

  private mutating func add(_ name: String, _ path: String, _ value: Any) {
    if let cell = value as? Module { return add(name, path, object: cell) }
    if let cell = value as? Parameter { return add(name, path, object: cell) }
    if let cell = value as? Buffer { return add(name, path, object: cell) }
    if isPlain(type(of: value)) { return }
    if let collection = value as? any Collection, isPlain(elementType(of: collection)) { return }
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional, .enum:
      // The name of an enumeration's case is left out, as for optionals.
      for child in mirror.children { add(name, path, child.value) }
    case .collection:
      for (index, child) in mirror.children.enumerated() {
        add("\(name).\(index)", "\(path)[\(index)]", child.value)
      }
    case .struct, .tuple:
      for (index, child) in mirror.children.enumerated() {
        let label = child.label.flatMap { $0.hasPrefix(".") ? nil : $0 } ?? "\(index)"
        add("\(name).\(label.snakeCased)", "\(path).\(label)", child.value)
      }
    case .dictionary:
      let prefix = name.isEmpty ? "" : "\(name)."
      let pairs = mirror.children.compactMap { child -> (key: Any, value: Any)? in
        let pair = Array(Mirror(reflecting: child.value).children)
        return pair.count == 2 ? (pair[0].value, pair[1].value) : nil
      }
      for (key, value) in pairs.sorted(by: { isBefore($0.key, $1.key) }) {
        add("\(prefix)\(key)", "\(path)[\(key)]", value)
      }
    case .class:
      if let hidden = PlainObjectSearch.member(below: value, path, of: owner) {
        refuse(
          "\(path) is a \(type(of: value)), a class that is not a Module, so \(hidden) inside it "
            + "is not found; make it a Module or a struct")
      }
    default: break
    }
  }

  private mutating func add(_ name: String, _ path: String, object: AnyObject) {
    if let index = positions[name], found[index].value !== object {
      refuse("\(found[index].path) and \(path) have the same name in state dictionaries, \(name)")
    }
    positions[name] = found.count
    found.append(Member(name: name, path: path, value: object))
  }

  private func refuse(_ text: String) {
    report(TensorError("\(type(of: owner))", text), file: #fileID, line: #line)
  }
}

/// Whether values of a type cannot hold members, so that they need not be searched.
func isPlain(_ type: Any.Type) -> Bool {
  type is any BinaryInteger.Type || type is any BinaryFloatingPoint.Type || type == Bool.self
    || type == String.self || type == Tensor.self || type == DType.self
}

func elementType<C: Collection>(of collection: C) -> Any.Type { C.Element.self }

/// Numbers by value, everything else by its text.
private func isBefore(_ a: Any, _ b: Any) -> Bool {
  if let a = a as? Int, let b = b as? Int { return a < b }
  return "\(a)" < "\(b)"
}

/// An optional of unknown type.
private protocol OptionalValue {
  var isNil: Bool { get }
  var mayHoldMembers: Bool { get }
}

extension Optional: OptionalValue {
  fileprivate var isNil: Bool { self == nil }

  /// Whether the type may hold members; for structures, this is unknown.
  fileprivate var mayHoldMembers: Bool { holdsMembers(Wrapped.self) }
}

private func holdsMembers(_ type: Any.Type) -> Bool {
  if type is Module.Type || type is Parameter.Type || type is Buffer.Type { return true }
  if type == (any Layer).self { return true }
  if let collection = type as? any Collection.Type { return holdsMembers(inside: collection) }
  if let optional = type as? any OptionalType.Type { return holdsMembers(optional.wrapped) }
  return false
}

private func holdsMembers<C: Collection>(inside type: C.Type) -> Bool {
  holdsMembers(C.Element.self)
    || (C.self as? any DictionaryType.Type).map { holdsMembers($0.value) } ?? false
}

private protocol OptionalType { static var wrapped: Any.Type { get } }
extension Optional: OptionalType { fileprivate static var wrapped: Any.Type { Wrapped.self } }
private protocol DictionaryType { static var value: Any.Type { get } }
extension Dictionary: DictionaryType { fileprivate static var value: Any.Type { Value.self } }

extension String {
  /// `runningMean` as `running_mean`, `attnQKV` as `attn_qkv`, `conv2D` as `conv2d`, `URLPart` as
  /// `url_part`.
  var snakeCased: String {
    let all = Array(self)
    var result = ""
    for (index, character) in all.enumerated() {
      if character.isUppercase, index > 0, all[index - 1] != "_" {
        let (before, after) = (all[index - 1], index + 1 < all.count ? all[index + 1] : nil)
        let beginsWord = after?.isLowercase ?? false
        if before.isLowercase || beginsWord { result.append("_") }
      }
      result += character.lowercased()
    }
    return result
  }
}
