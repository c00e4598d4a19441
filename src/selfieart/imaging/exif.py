"""EXIF without what betrays the photographer or no longer fits the picture.

The tags are copied as they stand, byte by byte: Pillow can rewrite EXIF too, but it turns every letter outside ASCII
into a question mark and changes the types of many tags.
"""

from __future__ import annotations

import struct
from typing import BinaryIO, NamedTuple

from PIL import Image
from PIL.ExifTags import Base

# What describes the picture or who made it. All else in the first directory describes the storage of the pixels,
# repeats metadata in other clothes (XMP, IPTC: with the location) or points to other directories.
_KEPT = frozenset(
    {
        Base.ImageDescription,
        Base.Make,
        Base.Model,
        Base.XResolution,
        Base.YResolution,
        Base.ResolutionUnit,
        Base.Software,
        Base.DateTime,
        Base.Artist,
        Base.HostComputer,
        Base.Copyright,
        Base.Rating,
        Base.XPTitle,
        Base.XPComment,
        Base.XPAuthor,
        Base.XPKeywords,
        Base.XPSubject,
    }
)
# The pixel size and the colour space may be others once the picture is written again; the rest is private or a pointer.
_DROPPED_DETAILS = frozenset(
    {
        Base.MakerNote,
        Base.ColorSpace,
        Base.ExifImageWidth,
        Base.ExifImageHeight,
        Base.ExifInteroperabilityOffset,
        Base.GPSInfo,
        Base.ExifOffset,
        Base.Orientation,
        0xEA1C,  # padding that Windows leaves for later edits
    }
)
_LONG = 4
# Bytes per value of each type: BYTE, ASCII, SHORT, LONG, RATIONAL and so on, in the numbering of TIFF.
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


class _Entry(NamedTuple):
    tag: int
    kind: int
    number: int
    data: bytes


def clean_exif(file: BinaryIO) -> bytes | None:
    """Copies what is worth keeping, such as the camera, the time of exposure, the author.

    Orientation, location, thumbnail, maker notes, XMP and the description of how pixels are stored are left out.

    Args:
        file: an EXIF block without its "Exif" prefix, or a whole TIFF file, which has the same structure.

    Returns:
        EXIF with its prefix, ready for writing, or None if nothing is left or the block is damaged.
    """
    file.seek(0)
    header = file.read(8)
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(header[:4])
    if order is None or len(header) < 8:
        return None
    found = _read_directory(file, order, *struct.unpack(order + "I", header[4:]))
    kept = [entry for entry in found if entry.tag in _KEPT]
    details: list[_Entry] = []
    for entry in found:
        if entry.tag == Base.ExifOffset and entry.kind == _LONG and entry.number == 1:
            inner = _read_directory(file, order, *struct.unpack(order + "I", entry.data))
            details = [detail for detail in inner if detail.tag not in _DROPPED_DETAILS]
    if not kept and not details:
        return None

    if details:
        # The length of a directory does not depend on the values in it, so the pointer can be filled in afterwards.
        pointer = _Entry(Base.ExifOffset, _LONG, 1, bytes(4))
        at = 8 + len(_directory([*kept, pointer], order, 8))
        kept.append(pointer._replace(data=struct.pack(order + "I", at)))
    first = _directory(kept, order, 8)
    second = _directory(details, order, 8 + len(first)) if details else b""
    return b"Exif\0\0" + header[:4] + struct.pack(order + "I", 8) + first + second


def exif_for_tiff(exif: bytes) -> Image.Exif:
    """The same EXIF in the form in which Pillow writes it into a TIFF file with the least damage.

    For TIFF Pillow takes EXIF apart. It reads text as Latin-1 and writes it as ASCII, but leaves bytes as they are.
    """
    parsed = Image.Exif()
    parsed.load(exif)
    for tag, value in list(parsed.items()):
        if isinstance(value, str):
            parsed[tag] = value.encode("latin-1")
    return parsed


def _read_directory(file: BinaryIO, order: str, at: int) -> list[_Entry]:
    """The entries of the directory at an offset, without those whose values are cut off or of no known type."""
    file.seek(at)
    start = file.read(2)
    if len(start) < 2:
        return []
    (count,) = struct.unpack(order + "H", start)
    table = file.read(12 * count)
    entries = {}
    for place in range(0, len(table) - 11, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", table, place)
        length = _WIDTHS.get(kind, 0) * number
        data = table[place + 8 : place + 12]
        if length > 4:
            file.seek(*struct.unpack(order + "I", data))
            data = file.read(length)
        if length and len(data) >= length:
            entries[tag] = _Entry(tag, kind, number, data[:length])
    return list(entries.values())


def _directory(entries: list[_Entry], order: str, at: int) -> bytes:
    """The bytes of a directory that will stand at an offset; no other directory follows it."""
    table, values = struct.pack(order + "H", len(entries)), b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, number, data in sorted(entries):
        table += struct.pack(order + "HHI", tag, kind, number)
        if len(data) > 4:
            table += struct.pack(order + "I", behind + len(values))
            values += data + bytes(len(data) % 2)  # values start at even offsets
        else:
            table += data.ljust(4, b"\0")
    return table + bytes(4) + values
