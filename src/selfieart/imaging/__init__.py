"""Pictures: reading, writing and what they look like in memory."""

from selfieart.imaging.files import atomic_write, check_target, picture_format, read_photo, write_photo
from selfieart.imaging.photo import Photo

__all__ = ["Photo", "atomic_write", "check_target", "picture_format", "read_photo", "write_photo"]
