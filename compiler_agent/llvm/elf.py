"""Executable bytes of an object file, by its section headers."""

from __future__ import annotations

import struct

from compiler_agent.base.errors import EngineError

_MAGIC = b"\x7fELF\x02\x01"
"""ELF of 64 bits, the lowest byte first."""
_HEADER_OFFSETS = slice(0x28, 0x30)
_HEADER_SIZE_AND_NUMBER = slice(0x3A, 0x3E)
_ALLOCATED_AND_EXECUTABLE = 0x2 | 0x4


def text_bytes(content: bytes) -> int:
    """Bytes of all sections that are executed: `TextSizeBytes`, as the native component counts them.

    Raises:
        EngineError: It is no object that this knows.

    Source: System V Application Binary Interface, "Object Files", section headers: sh_flags is 8 bytes from
    the header's byte 8, sh_size from byte 32.
    """
    if not content.startswith(_MAGIC):
        raise EngineError("not an ELF object of 64 bits", hint="the size of other objects is not counted")
    (place,) = struct.unpack("<Q", content[_HEADER_OFFSETS])
    size, number = struct.unpack("<HH", content[_HEADER_SIZE_AND_NUMBER])
    total = 0
    for header in range(place, place + size * number, size):
        (flags,) = struct.unpack("<Q", content[header + 8 : header + 16])
        (section_bytes,) = struct.unpack("<Q", content[header + 32 : header + 40])
        if flags & _ALLOCATED_AND_EXECUTABLE == _ALLOCATED_AND_EXECUTABLE:
            total += section_bytes
    return total
