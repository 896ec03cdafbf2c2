#!/usr/bin/env python3
"""Writes the small JPEG files that NormaFilesTests reads, and prints what Pillow reads in them.

Needs NumPy and Pillow; run from the repository root.
"""
import io
import pathlib

import numpy as np
from PIL import Image

folder = pathlib.Path("Tests/NormaFilesTests/Fixtures")


def save(name, image, **options):
    """Writes a file and prints its pixels, and its luma, row by row."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", optimize=True, **options)
    (folder / name).write_bytes(buffer.getvalue())
    print(name, len(buffer.getvalue()), "bytes")
    read = Image.open(buffer)
    pixels = np.asarray(read)
    if pixels.ndim == 3:
        pixels = pixels.transpose(2, 0, 1)
    print(pixels.shape, pixels.ravel().tolist())
    luma = Image.open(buffer)
    luma.draft("L", luma.size)
    print(luma.mode, np.asarray(luma).ravel().tolist())


y, x = np.mgrid[0:3, 0:5]
save("gray.jpg", Image.fromarray((y * 60 + x * 20 + 7).astype(np.uint8)), quality=90)
y, x = np.mgrid[0:5, 0:9]
colors = np.stack([x * 28, y * 50 + 20, 255 - x * 14 - y * 20], -1).clip(0, 255).astype(np.uint8)
save("color.jpg", Image.fromarray(colors), quality=85, subsampling=2)
save("progressive.jpg", Image.fromarray(colors), quality=85, subsampling=2, progressive=True)
exif = Image.Exif()
exif[0x0112] = 6
turned = np.array([[20, 120, 220], [60, 160, 250]], np.uint8)
save("turned.jpg", Image.fromarray(turned), quality=100, exif=exif)
save("refused-cmyk.jpg", Image.fromarray(np.zeros((2, 2, 4), np.uint8), "CMYK"))
