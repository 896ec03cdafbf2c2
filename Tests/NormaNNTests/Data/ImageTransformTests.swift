import NormaNN
import NormaTensor
import Testing

@Suite struct ImageTransformTests {
  private let images = Tensor.arange(2 * 1 * 4 * 5).reshaped(2, 1, 4, 5).cast(to: .uint8)

  @Test func valuesAndSizes() {
    let unit = ImageTransform.unitRange(images)
    #expect(unit.dtype == .float32 && unit[1, 0, 3, 4].item() == Double(39 / Float(255)))
    let normal = ImageTransform.normalize(mean: [0.5], std: [0.25])(unit)
    #expect(normal[0, 0, 0, 0].item() == -2)
    #expect(ImageTransform.pad(1)(images).shape == [2, 1, 6, 7])
    let middle = ImageTransform.centerCrop(2, 2)(images)
    // (4 - 2) / 2 = 1 row down; (5 - 2) / 2 = 1.5, rounded to even, is 2 columns.
    #expect(middle[0].array(of: Int.self) == [7, 8, 12, 13])
  }

  @Test func flips() {
    let mirrored = ImageTransform.randomHorizontalFlip(probability: 1)(images)
    #expect(mirrored[0, 0, 0].array(of: Int.self) == [4, 3, 2, 1, 0])
    let turned = ImageTransform.randomVerticalFlip(probability: 1)(images)
    #expect(turned[0, 0, 0].array(of: Int.self) == [15, 16, 17, 18, 19])
    #expect(ImageTransform.randomVerticalFlip(probability: 0)(images).isEqual(to: images))
    let many = Tensor.arange(2).reshaped(1, 1, 1, 2).broadcast(to: [1000, 1, 1, 2])
    let firsts = withSeed(2) { ImageTransform.randomHorizontalFlip()(many) }[0..., 0, 0, 0]
    #expect((420...580).contains(firsts.sum().item()))
  }

  @Test func cropsLieInside() {
    withSeed(5) {
      let crops = ImageTransform.randomCrop(3, 3)(images)
      #expect(crops.shape == [2, 1, 3, 3])
      for n in 0..<2 {
        let values = crops[n].array(of: Int.self)
        let first = values[0] - 20 * n
        #expect(first % 5 <= 2 && first / 5 <= 1)
        #expect(values == [0, 1, 2, 5, 6, 7, 10, 11, 12].map { values[0] + $0 })
      }
      // All nine positions occur.
      let places = (0..<200).map { _ in
        ImageTransform.randomCrop(4, 5, padding: 1)(images[0..<1]).array(of: Int.self)
      }
      #expect(Set(places).count == 9)
    }
  }

  @Test func mistakesAreRefused() {
    for (transform, input) in [
      (ImageTransform.normalize(mean: [0], std: [1]), images),
      (.normalize(mean: [0, 1], std: [1]), images.cast(to: .float32)),
      (.centerCrop(5, 5), images), (.randomCrop(9, 9, padding: 2), images),
      (.randomHorizontalFlip(probability: 2), images), (.unitRange, images[0]),
    ] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { transform(input) } }
    }
  }

  @Test func datasetsTransformTheirImages() throws {
    let data = TensorDataset(images, Tensor([3, 4])).transformed(.unitRange, .centerCrop(2, 2))
    let batch = try data.batch([1])
    #expect(batch[0].shape == [1, 1, 2, 2] && batch[1].array(of: Int.self) == [4])
  }
}
