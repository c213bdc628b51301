"""Blocks of headers for HTTP/2 (HPACK, RFC 7541), made with little work for each message.

A block is made of fixed lists, which are the same for many messages and go into the table that both ends keep, and of
values that differ, which never do: neither a device's token nor ours is to be guessed from how well a header packs.
"""

from collections.abc import Sequence

from hpack import Encoder, HeaderTuple

Fixed = tuple[HeaderTuple, ...]  # names in lower case, all of them bytes
Block = Sequence[Fixed | bytes]  # bytes: what `never_indexed` made

_NEVER_INDEXED = 0x10
_STATIC_NAMES = {b":path": 4, b"authorization": 23}  # of RFC 7541, appendix A
_MAX_TABLE_BYTES = 4096


def never_indexed(name: bytes, value: bytes) -> bytes:
    """Return one header as a literal that is kept out of the table, without Huffman's code, which is slow in Python."""
    index = _STATIC_NAMES.get(name)
    if index is None:
        head = bytes([_NEVER_INDEXED]) + _integer(len(name), bits=7) + name
    else:
        head = _integer(index, bits=4, first=_NEVER_INDEXED)
    return head + _integer(len(value), bits=7) + value


class BlockEncoder:
    """One connection's side of the table. What a fixed list comes to is kept, as long as the table stays as it is."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._kept: dict[Fixed, bytes] = {}

    def encoded(self, block: Block) -> bytes:
        """Return the block as it goes over the wire next."""
        kept = self._kept
        return b"".join(
            part if isinstance(part, bytes) else kept.get(part) or self._encoded(part) for part in block
        )

    def allow_table(self, size: int) -> None:
        """Take in how large a table the other end keeps, in bytes."""
        self._kept.clear()
        self._encoder.header_table_size = min(size, _MAX_TABLE_BYTES)

    def _encoded(self, fixed: Fixed) -> bytes:
        before, resized = self._table(), self._encoder.header_table.resized
        now = self._encoder.encode(fixed, huffman=False)
        if self._table() == before and not resized:  # a change of size is told once
            self._kept[fixed] = now
        else:
            self._kept.clear()  # all that was there has another place now
        return now

    def _table(self) -> tuple[tuple[bytes, bytes], ...]:
        return tuple(self._encoder.header_table.dynamic_entries)


def _integer(value: int, *, bits: int, first: int = 0) -> bytes:
    """Return a number as HPACK has it, the first byte's other bits being those of `first`."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    encoded, value = bytearray([first | most]), value - most
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
