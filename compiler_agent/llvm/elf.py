"""Executable bytes of an object file, by its section headers."""

from __future__ import annotations

import struct

from compiler_agent.base.errors import EngineError

_ALLOCATED_AND_EXECUTABLE = 0x2 | 0x4
_LAYOUTS = {
    b"\x7fELF\x02\x01": ("<40xQ10xHH", "<8xQ16xQ"),
    b"\x7fELF\x01\x01": ("<32xI10xHH", "<8xI8xI"),
}
"""ELF of 64 and of 32 bits, the lowest byte first: where its header has place, size and number of the section headers,
and where one of those has its flags and the section's size."""


def text_bytes(content: bytes) -> int:
    """Bytes of all sections that are executed: `TextSizeBytes`, as the native component counts them.

    Raises:
        EngineError: It is no object that this knows.

    Source: System V Application Binary Interface, "Object Files", ELF header and section headers.
    """
    if content[:6] not in _LAYOUTS:
        raise EngineError("not an ELF object of this kind of machine", hint="the size of other objects is not counted")
    header, section = _LAYOUTS[content[:6]]
    place, size, number = struct.unpack_from(header, content)
    sections = (struct.unpack_from(section, content, place + size * index) for index in range(number))
    return sum(n_bytes for flags, n_bytes in sections if flags & _ALLOCATED_AND_EXECUTABLE == _ALLOCATED_AND_EXECUTABLE)
