"""Pictures: reading, writing and what they look like in memory."""

from selfieart.imaging.files import picture_format, read_photo, write_photo
from selfieart.imaging.photo import Photo

__all__ = ["Photo", "picture_format", "read_photo", "write_photo"]
