# SPDX-License-Identifier: MIT
"""Read and write PNG files, as far as the demo needs it."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LICENCE = b"Copyright\0SPDX-License-Identifier: GPL-2.0-only OR MIT"


def _chunks(data):
    """Kind and content of each chunk."""
    at = len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + size]
        at += 12 + size


def _paeth(left, above, corner):
    """The neighbour that is next to left + above - corner."""
    guess = left + above - corner
    return min((left, above, corner), key=lambda near: abs(guess - near))


def _unfilter(kind, line, above, step):
    """Undo, in place, what each line was filtered with (PNG, 9.2)."""
    if kind == 2:
        line[:] = bytes((a + b) & 255 for a, b in zip(line, above))
    elif kind:
        for i, value in enumerate(line):
            left = line[i - step] if i >= step else 0
            corner = above[i - step] if i >= step else 0
            guess = {1: left, 3: (left + above[i]) // 2,
                     4: _paeth(left, above[i], corner)}[kind]
            line[i] = (value + guess) & 255


def read(path):
    """Width, height, and the lines of RGB of a file with 8 bits a channel."""
    with open(path, "rb") as file:
        data = file.read()
    assert data.startswith(SIGNATURE), path
    parts, packed = {}, b""
    for kind, content in _chunks(data):
        parts[kind] = content
        packed += content if kind == b"IDAT" else b""
    width, height, depth, colours, *rest = struct.unpack(">IIBBBBB",
                                                         parts[b"IHDR"])
    assert depth == 8 and colours in (2, 6) and not any(rest), path
    step = 3 if colours == 2 else 4
    raw, lines, above = zlib.decompress(packed), [], bytes(width * step)
    for start in range(0, len(raw), width * step + 1):
        line = bytearray(raw[start + 1:start + 1 + width * step])
        _unfilter(raw[start], line, above, step)
        above = line
        rgb = bytearray(width * 3)
        for channel in range(3):
            rgb[channel::3] = line[channel::step]
        lines.append(bytes(rgb))
    assert len(lines) == height, path
    return width, height, lines


def write(path, width, lines):
    """A file of lines of RGB."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content +
                struct.pack(">I", zlib.crc32(kind + content)))

    # each line as its difference to the one above: long runs of zeros
    raw, above = bytearray(), bytes(width * 3)
    for line in lines:
        raw += b"\2" + bytes((a - b) & 255 for a, b in zip(line, above))
        above = line
    with open(path, "wb") as file:
        file.write(SIGNATURE + chunk(b"IHDR", struct.pack(
            ">IIBBBBB", width, len(lines), 8, 2, 0, 0, 0)) +
            b"".join((chunk(b"tEXt", LICENCE),
                      chunk(b"IDAT", zlib.compress(bytes(raw), 9)),
                      chunk(b"IEND", b""))))
