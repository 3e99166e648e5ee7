"""Screenshots as PNG with few colours: a quarter of the size, and text is as sharp."""

import base64
import struct
import zlib

# Pages have a few thousand colours, nearly all of them shades between text and background.
COLOURS = 64
# Chooses colours one by one, each time the one that is farthest from those chosen, weighted by its pixels. Returns the width, the height, the
# palette, and the index of each pixel in it.
REDUCE = """
async ([png, count]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, image.width, image.height).data.buffer);
  const counts = new Map();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const channels = (colour) => [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255];
  const colours = [...counts].map(([colour, n]) => ({ colour, n, rgb: channels(colour), far: Infinity, index: 0 }));
  const palette = [];
  while (palette.length < Math.min(count, colours.length)) {
    let best = colours[0];
    for (const one of colours) if (Math.sqrt(one.n) * Math.min(one.far, 1e6) > Math.sqrt(best.n) * Math.min(best.far, 1e6)) best = one;
    for (const one of colours) {
      const far = one.rgb.reduce((sum, value, channel) => sum + (value - best.rgb[channel]) ** 2, 0);
      if (far < one.far) Object.assign(one, { far, index: palette.length });
    }
    palette.push(best.rgb);
  }
  const index = new Map(colours.map((one) => [one.colour, one.index]));
  let text = "";
  for (const pixel of pixels) text += String.fromCharCode(index.get(pixel));
  return [image.width, image.height, palette.flat(), btoa(text)];
}
"""


def small_png(browser, png):
    """Return a PNG of the same picture with at most 64 colours."""
    page = browser.new_page()
    try:
        width, height, palette, indices = page.evaluate(REDUCE, [base64.b64encode(png).decode(), COLOURS])
    finally:
        page.context.close()
    rows = base64.b64decode(indices)
    # Each row begins with its filter type. None (0) is best for a palette.
    lines = b"".join(b"\0" + rows[at : at + width] for at in range(0, len(rows), width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"PLTE", bytes(palette)), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind, content):
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
