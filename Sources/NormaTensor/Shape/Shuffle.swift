/// The channels of `[N, C, ...]` in another order, in which `groups` groups take turns.
///
/// Channel `k * groups + g` is the k-th of group g. One read and one write.
/// PyTorch: `F.channel_shuffle`.
public func channelShuffle(
  _ x: Tensor, groups: Int, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(x, file: file, line: line) { () throws(TensorError) in
    let call = "channelShuffle(_:groups:)"
    guard x.rank >= 3, groups > 0, x.shape[1] % groups == 0 else {
      throw TensorError(
        call, "\(groups) groups do not divide the channels of [N, C, space...], shape \(x.shape)")
    }
    return x.unflattened(1, into: [groups, x.shape[1] / groups]).transposed(1, 2)
      .reshaped(x.shape)
  }
}

/// Channels rearranged into finer pixels: `[..., C * r * r, H, W]` becomes
/// `[..., C, H * r, W * r]`.
///
/// The pixel at (h * r + a, w * r + b) of channel c is channel (c * r + a) * r + b at (h, w). One
/// read and one write. PyTorch: `F.pixel_shuffle`, `nn.PixelShuffle`.
public func pixelShuffle(
  _ x: Tensor, upscaleFactor r: Int, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(x, file: file, line: line) { () throws(TensorError) in
    let call = "pixelShuffle(_:upscaleFactor:)"
    let squared = r.multipliedReportingOverflow(by: r)
    try demand(
      x.rank >= 3 && r > 0 && !squared.overflow && x.shape[x.rank - 3] % squared.partialValue == 0,
      call, "factor \(r) squared does not divide the channels of [..., C, H, W], \(x.shape)")
    let (batch, n) = (Array(x.shape.dropLast(3)), x.rank - 3)
    let (c, h, w) = (x.shape[n] / (r * r), x.shape[n + 1], x.shape[n + 2])
    let order = Array(0..<n) + [n, n + 3, n + 1, n + 4, n + 2]
    return x.reshaped(batch + [c, r, r, h, w]).permuted(order)
      .reshaped(batch + [c, h * r, w * r])
  }
}

/// The inverse of ``pixelShuffle(_:upscaleFactor:file:line:)``: `[..., C, H * r, W * r]` becomes
/// `[..., C * r * r, H, W]`. PyTorch: `F.pixel_unshuffle`, `nn.PixelUnshuffle`.
public func pixelUnshuffle(
  _ x: Tensor, downscaleFactor r: Int, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(x, file: file, line: line) { () throws(TensorError) in
    let call = "pixelUnshuffle(_:downscaleFactor:)"
    let n = x.rank - 3
    guard n >= 0, r > 0, x.shape[n + 1] % r == 0, x.shape[n + 2] % r == 0 else {
      throw TensorError(
        call, "factor \(r) does not divide height and width of [..., C, H, W], shape \(x.shape)")
    }
    let (batch, c) = (Array(x.shape.dropLast(3)), x.shape[n])
    let (h, w) = (x.shape[n + 1] / r, x.shape[n + 2] / r)
    let order = Array(0..<n) + [n, n + 2, n + 4, n + 1, n + 3]
    return x.reshaped(batch + [c, h, r, w, r]).permuted(order).reshaped(batch + [c * r * r, h, w])
  }
}
