import NormaTensor
import Testing

struct StateDictTests {
  @Test func keepsTheOrder() {
    var state: StateDict = ["b": .zeros(1), "a": .ones(2)]
    state["c"] = .ones(3)
    state["b"] = .ones(4)
    #expect(state.keys == ["b", "a", "c"] && state.count == 3)
    #expect(state.map { $0.value.shape } == [[4], [2], [3]])
    #expect(state.values.map(\.shape) == [[4], [2], [3]] && state[1].key == "a")
    #expect(state.description == "b [4] float32\na [2] float32\nc [3] float32")
  }

  @Test func removesByNil() {
    var state: StateDict = ["a": .zeros(1), "b": .zeros(2), "c": .zeros(3)]
    state["a"] = nil
    state["x"] = nil
    #expect(state.keys == ["b", "c"] && state["a"] == nil)
    #expect(state["c"]?.shape == [3] && state["b"]?.shape == [2])
    state["a"] = .zeros(4)
    #expect(state.keys == ["b", "c", "a"])
  }

  @Test func isMadeOfDictionariesAndPairs() {
    let dictionary = ["x": Tensor.ones(2)]
    #expect(StateDict(dictionary)["x"]?.shape == [2])
    let pairs = [
      (key: "p", value: Tensor.ones(1)), (key: "q", value: .ones(2)), (key: "p", value: .ones(3)),
    ]
    #expect(StateDict(pairs).map { $0.value.shape } == [[3], [2]])
    #expect(StateDict(pairs).mapValues(\.count) == ["p": 3, "q": 2])
    #expect(StateDict().isEmpty && StateDict().evaluated().isEmpty)
  }
}
