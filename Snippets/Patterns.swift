// Axes by name: rearranged, reduced, repeated.

import Norma

let images = withSeed(0) { Tensor.rand(6, 64, 32, 32) }

// A row for each channel: images.permuted(1, 0, 2, 3).reshaped(64, -1)
let rows = images.rearranged("n c h w -> c (n h w)")
let mean = rows.mean(over: 1)

let channelsLast = images.rearranged("n c h w -> n h w c")  // a view
let patches = images.rearranged("n c (h p) (w q) -> n (h w) (c p q)", ["p": 8, "q": 8])
let flat = images.rearranged("n ... -> n (...)")

let channelMeans = images.reduced("n c h w -> 1 c 1 1", by: .mean)  // keeps axes at size 1
let pooled = images.reduced("n c (h 2) (w 2) -> n c h w", by: .max)
let spread = images.reduced("n c ... -> c", by: .std)

let gray = images[0, 0]
let color = gray.repeated("h w -> h w c", ["c": 3])  // a view
let larger = gray.repeated("h w -> (h 2) (w 2)")

let sizes = images.parsedShape("n c _ _")  // ["n": 6, "c": 64]

do {
  _ = try catchingTensorErrors { images.rearranged("n c h w -> c (n h)") }
} catch {
  print(error)
}

print(rows.shape, mean.shape, channelsLast.strides, patches.shape, flat.shape)
print(channelMeans.shape, pooled.shape, spread.shape, color.strides, larger.shape, sizes)
