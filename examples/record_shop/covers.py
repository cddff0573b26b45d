"""Pictures of covers: rings of a few colours, as PNG files."""

import struct
import zlib
from math import hypot
from random import Random

PIXELS = 48
COLOURS = "1b263b e0a458 9d4edd d64550 2a9d8f f4f1de 3d405b 81b29a f2cc8f 264653 e76f51 ffb4a2"


def draw_cover(random: Random) -> bytes:
    """Return the bytes of a PNG file."""
    palette = random.sample([bytes.fromhex(colour) for colour in COLOURS.split()], 4)
    x, y = random.randrange(PIXELS), random.randrange(PIXELS)
    width = random.randint(4, 14)
    lines = (
        bytes(int(hypot(column - x, row - y) / width) % len(palette) for column in range(PIXELS))
        for row in range(PIXELS)
    )
    # One byte a pixel, of a palette; each line says first that it is not filtered.
    header = struct.pack(">IIBBBBB", PIXELS, PIXELS, 8, 3, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + line for line in lines))
    chunks = {b"IHDR": header, b"PLTE": b"".join(palette), b"IDAT": pixels, b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks.items())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
