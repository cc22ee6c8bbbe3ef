"""`zlib` in Python, for a runtime that has none: what `gzip` and packages call, with the same results when inflated.

Inflating follows RFC 1951, with the frames of RFC 1950 (zlib) and RFC 1952 (gzip). Deflating finds repetitions and writes them
with the fixed codes, in blocks, or stores what does not get smaller. Both are slower than C by far: they are for bodies of kilobytes.
"""

import binascii as _binascii

ZLIB_VERSION = ZLIB_RUNTIME_VERSION = "1.3.1"
DEFLATED = 8
MAX_WBITS = 15
DEF_MEM_LEVEL = 8
DEF_BUF_SIZE = 16384
Z_NO_COMPRESSION, Z_BEST_SPEED, Z_BEST_COMPRESSION, Z_DEFAULT_COMPRESSION = 0, 1, 9, -1
Z_DEFAULT_STRATEGY, Z_FILTERED, Z_HUFFMAN_ONLY, Z_RLE, Z_FIXED = 0, 1, 2, 3, 4
Z_NO_FLUSH, Z_PARTIAL_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH, Z_BLOCK, Z_TREES = 0, 1, 2, 3, 4, 5, 6

crc32 = _binascii.crc32


class error(Exception):
    """What is not deflated data, or ends too early."""


def adler32(data, value=1):
    low, high = value & 0xFFFF, value >> 16
    view = memoryview(data).cast("B")
    # So many bytes at a time that the sums stay small numbers.
    for start in range(0, len(view), 4096):
        for byte in view[start : start + 4096]:
            low += byte
            high += low
        low %= 65521
        high %= 65521
    return high << 16 | low


# --- inflating ---

_LENGTHS = [(3 + i, 0) for i in range(8)] + [
    (base + (i << extra), extra) for extra, base in ((1, 11), (2, 19), (3, 35), (4, 67), (5, 131)) for i in range(4)
]
_LENGTHS[28:] = [(258, 0)]
_DISTANCES = [(1 + i, 0) for i in range(4)]
for _extra in range(1, 14):
    _DISTANCES += [(1 + (1 << (_extra + 1)), _extra), (1 + (3 << _extra), _extra)]
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)


def _table(lengths, one_may_do=True):
    """A list to look the next bits up in, and how many: an entry is a symbol and the length of its code. Codes must use up all
    bits, but for a single one."""
    longest = max(lengths, default=0)
    if longest == 0:
        return [None], 0
    table = [None] * (1 << longest)
    code, left = 0, 1
    for length in range(1, longest + 1):
        left <<= 1
        for symbol, own in enumerate(lengths):
            if own != length:
                continue
            left -= 1
            if left < 0:
                raise error("Error -3 while decompressing data: over-subscribed code lengths")
            # Codes come with their first bit first, numbers with their last.
            start = int(f"{code:0{length}b}"[::-1], 2)
            table[start :: 1 << length] = [(symbol, length)] * (1 << (longest - length))
            code += 1
        code <<= 1
    if left > 0 and not (one_may_do and longest == 1):
        raise error("Error -3 while decompressing data: incomplete code lengths")
    return table, longest


_FIXED = (_table([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8), _table([5] * 32))


class _Bits:
    """Bits of data that may still be coming."""

    def __init__(self):
        self.data = bytearray()
        self.hold = self.count = 0

    def more(self):
        """Takes bytes up; False when there are none."""
        if not self.data:
            return False
        taken = self.data[:4]
        del self.data[:4]
        self.hold |= int.from_bytes(taken, "little") << self.count
        self.count += 8 * len(taken)
        return True

    def align(self):
        """Gives whole bytes back."""
        odd = self.count % 8
        self.hold >>= odd
        self.count -= odd
        self.data[:0] = self.hold.to_bytes(self.count // 8, "little")
        self.hold = self.count = 0


def _inflate(bits, out, window):
    """Inflates into `out`, which keeps its last `window` bytes. Waits with `yield` for more data, and is at its end at the end."""

    def take(n):
        while bits.count < n:
            if not bits.more():
                yield
        value = bits.hold & (1 << n) - 1
        bits.hold >>= n
        bits.count -= n
        return value

    def symbol(table, longest):
        while True:
            entry = table[bits.hold & (1 << longest) - 1]
            if entry is not None and entry[1] <= bits.count:
                bits.hold >>= entry[1]
                bits.count -= entry[1]
                return entry[0]
            if bits.count >= longest:
                raise error("Error -3 while decompressing data: invalid code")
            if not bits.more():
                yield

    last = False
    while not last:
        last = yield from take(1)
        kind = yield from take(2)
        if kind == 0:
            bits.align()
            while len(bits.data) < 4:
                yield
            size, check = int.from_bytes(bits.data[:2], "little"), int.from_bytes(bits.data[2:4], "little")
            if size != check ^ 0xFFFF:
                raise error("Error -3 while decompressing data: invalid stored block lengths")
            del bits.data[:4]
            while size:
                part = bits.data[:size]
                del bits.data[: len(part)]
                out += part
                size -= len(part)
                if size:
                    yield
            continue
        if kind == 3:
            raise error("Error -3 while decompressing data: invalid block type")
        (literals, distances) = _FIXED if kind == 1 else (yield from _codes(take, symbol))
        while True:
            # The way of most bytes, without a call for each.
            table, longest = literals
            mask = (1 << longest) - 1
            while bits.count >= longest:
                entry = table[bits.hold & mask]
                if entry is None or entry[0] > 255:
                    break
                out.append(entry[0])
                bits.hold >>= entry[1]
                bits.count -= entry[1]
            code = yield from symbol(*literals)
            if code < 256:
                out.append(code)
                continue
            if code == 256:
                break
            if code > 285:
                raise error("Error -3 while decompressing data: invalid literal/length code")
            length, extra = _LENGTHS[code - 257]
            if extra:
                length += yield from take(extra)
            code = yield from symbol(*distances)
            if code > 29:
                raise error("Error -3 while decompressing data: invalid distance code")
            back, extra = _DISTANCES[code]
            if extra:
                back += yield from take(extra)
            if back > len(out) or back > window:
                raise error("Error -3 while decompressing data: invalid distance too far back")
            start = len(out) - back
            if back >= length:
                out += out[start : start + length]
            else:
                part = bytes(out[start:])
                out += (part * (length // back + 1))[:length]
            if len(out) > 4 * window:
                yield
    bits.align()


def _codes(take, symbol):
    """The codes of a block that brings its own."""
    literals = 257 + (yield from take(5))
    distances = 1 + (yield from take(5))
    count = 4 + (yield from take(4))
    if literals > 286 or distances > 30:
        raise error("Error -3 while decompressing data: too many length or distance symbols")
    lengths = [0] * 19
    for place in _ORDER[:count]:
        lengths[place] = yield from take(3)
    table = _table(lengths, one_may_do=False)
    lengths = []
    while len(lengths) < literals + distances:
        code = yield from symbol(*table)
        if code < 16:
            lengths.append(code)
        elif code == 16:
            if not lengths:
                raise error("Error -3 while decompressing data: invalid bit length repeat")
            lengths += lengths[-1:] * (3 + (yield from take(2)))
        else:
            lengths += [0] * (3 + (yield from take(3)) if code == 17 else 11 + (yield from take(7)))
    if len(lengths) > literals + distances or not lengths[256]:
        raise error("Error -3 while decompressing data: invalid code lengths")
    return _table(lengths[:literals]), _table(lengths[literals:])


def _gzip_head(data):
    """Bytes of a gzip head (RFC 1952 section 2.3), or None while it is not whole."""
    if len(data) < 10:
        return None
    if data[:3] != b"\x1f\x8b\x08":
        raise error("Error -3 while decompressing data: incorrect header check")
    flags, at = data[3], 10
    if flags & 4:
        if len(data) < at + 2:
            return None
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            end = data.find(b"\0", at)
            if end < 0:
                return None
            at = end + 1
    at += 2 if flags & 2 else 0
    return at if len(data) >= at else None


def _frame(bits, out, wbits):
    """Inflates what is in a frame: none for negative `wbits`, gzip's past 16, zlib's else, and from 32 whichever there is."""
    kind = "raw" if wbits < 0 else "zlib" if wbits <= 15 else "gzip" if wbits <= 31 else None
    while kind is None:
        if len(bits.data) >= 2:
            kind = "gzip" if bits.data[:2] == b"\x1f\x8b" else "zlib"
        else:
            yield
    if kind == "zlib":
        while len(bits.data) < 2:
            yield
        if bits.data[0] & 15 != DEFLATED or int.from_bytes(bits.data[:2], "big") % 31:
            raise error("Error -3 while decompressing data: incorrect header check")
        if bits.data[1] & 32:
            raise error("Error 2 while decompressing data: it needs a dictionary, which this runtime does not have")
        del bits.data[:2]
    elif kind == "gzip":
        while (size := _gzip_head(bits.data)) is None:
            yield
        del bits.data[:size]
    yield from _inflate(bits, out, 32768)
    trailer = {"raw": 0, "zlib": 4, "gzip": 8}[kind]
    while len(bits.data) < trailer:
        yield
    out.check = (kind, bytes(bits.data[:trailer]))
    del bits.data[:trailer]


class _Output(bytearray):
    """What was inflated; `check` is the end of its frame."""

    check = None


class _Decompress:
    """What `decompressobj` gives."""

    def __init__(self, wbits=MAX_WBITS, zdict=b""):
        if zdict:
            raise error("dictionaries are not there in this runtime")
        self.unused_data = self.unconsumed_tail = b""
        self.eof = False
        self._bits, self._out = _Bits(), _Output()
        self._run = _frame(self._bits, self._out, wbits)
        # Bytes of `_out` that were given out, and what they sum up to.
        self._given, self._size, self._crc, self._adler = 0, 0, 0, 1

    def decompress(self, data, max_length=0):
        if max_length < 0:
            raise ValueError("max_length must be non-negative")
        if self.eof:
            self.unused_data += bytes(data)
            return self._give(max_length)
        self._bits.data += data
        self._step(max_length)
        given = self._give(max_length)
        self.unconsumed_tail = b""
        if self.eof:
            self.unused_data = bytes(self._bits.data)
            self._bits.data.clear()
        elif max_length:
            # Whoever bounds what is given brings the rest again.
            self.unconsumed_tail = bytes(self._bits.data)
            self._bits.data.clear()
        return given

    def _step(self, wanted):
        """Inflates until there is as much as is wanted, or no more comes of the data."""
        while not self.eof and not (wanted and len(self._out) - self._given >= wanted):
            before = len(self._bits.data), len(self._out)
            try:
                next(self._run)
            except StopIteration:
                self.eof = True
            if before == (len(self._bits.data), len(self._out)):
                return

    def _give(self, wanted):
        end = self._given + wanted if wanted else len(self._out)
        given = bytes(self._out[self._given : end])
        self._given += len(given)
        self._size += len(given)
        kind = self._out.check[0] if self._out.check else None
        if kind in (None, "zlib"):
            self._adler = adler32(given, self._adler)
        if kind in (None, "gzip"):
            self._crc = crc32(given, self._crc)
        # Repetitions reach back 32 KB.
        surplus = self._given - 32768
        if surplus > 65536:
            del self._out[:surplus]
            self._given -= surplus
        if self.eof and self._given == len(self._out):
            self._verify()
        return given

    def _verify(self):
        kind, trailer = self._out.check
        if kind == "zlib" and trailer != self._adler.to_bytes(4, "big"):
            raise error("Error -3 while decompressing data: incorrect data check")
        if kind == "gzip" and trailer[:4] != self._crc.to_bytes(4, "little"):
            raise error("Error -3 while decompressing data: incorrect data check")
        if kind == "gzip" and trailer[4:] != (self._size & 0xFFFFFFFF).to_bytes(4, "little"):
            raise error("Error -3 while decompressing data: incorrect length check")

    def flush(self, length=DEF_BUF_SIZE):
        return self.decompress(self.unconsumed_tail)

    def copy(self):
        raise NotImplementedError("a decompressor cannot be copied in this runtime")


class _ZlibDecompressor:
    """What the standard library's `gzip` reads with."""

    def __init__(self, wbits=MAX_WBITS, zdict=b""):
        self._inner = _Decompress(wbits, zdict)
        self.eof, self.unused_data, self.needs_input = False, b"", True

    def decompress(self, data, max_length=-1):
        if self.eof:
            raise EOFError("End of stream already reached")
        given = self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))
        waits = len(self._inner._out) - self._inner._given
        self.eof = self._inner.eof and waits == 0
        self.unused_data = self._inner.unused_data if self.eof else b""
        self.needs_input = not self.eof and not waits and not 0 <= max_length == len(given)
        return given


def decompressobj(wbits=MAX_WBITS, zdict=b""):
    return _Decompress(wbits, zdict)


def decompress(data, /, wbits=MAX_WBITS, bufsize=DEF_BUF_SIZE):
    run = _Decompress(wbits)
    whole = run.decompress(data)
    if not run.eof:
        raise error("Error -5 while decompressing data: incomplete or truncated stream")
    return whole


# --- deflating ---


def _reversed_codes(lengths):
    """The codes of symbols (RFC 1951 section 3.2.2), with their first bit last, beside their lengths."""
    codes, code = [None] * len(lengths), 0
    for length in range(1, max(lengths) + 1):
        code <<= 1
        for symbol, own in enumerate(lengths):
            if own == length:
                codes[symbol] = (int(f"{code:0{length}b}"[::-1], 2), length)
                code += 1
    return codes


_LITERAL_CODES = _reversed_codes([8] * 144 + [9] * 112 + [7] * 24 + [8] * 8)
_DISTANCE_CODES = _reversed_codes([5] * 30)
# For each length of a repetition: the bits of its code and what is added, and how many they are.
_LENGTH_BITS = [None] * 259
for _symbol, (_base, _extra) in enumerate(_LENGTHS):
    _bits, _count = _LITERAL_CODES[257 + _symbol]
    for _more in range(1 << _extra):
        if _base + _more < 259:
            _LENGTH_BITS[_base + _more] = (_bits | _more << _count, _count + _extra)


def _distance_bits(back):
    low, high = 0, 29
    while low < high:
        middle = (low + high + 1) // 2
        if _DISTANCES[middle][0] <= back:
            low = middle
        else:
            high = middle - 1
    base, extra = _DISTANCES[low]
    bits, count = _DISTANCE_CODES[low]
    return bits | back - base << count, count + extra


def _deflate(data):
    """One block of `data` with the fixed codes, as a number and how many bits it has."""
    parts, hold, count = bytearray(), 2, 3
    seen, at, size = {}, 0, len(data)
    while at < size:
        key = data[at : at + 3]
        before = seen.get(key, -32769)
        seen[key] = at
        if at - before <= 32768 and len(key) == 3:
            length, most = 3, min(258, size - at)
            while length < most and data[before + length] == data[at + length]:
                length += 1
            bits, width = _LENGTH_BITS[length]
            hold |= bits << count
            count += width
            bits, width = _distance_bits(at - before)
            at += length
        else:
            bits, width = _LITERAL_CODES[data[at]]
            at += 1
        hold |= bits << count
        count += width
        if count >= 64:
            parts += (hold & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
            hold >>= 64
            count -= 64
    bits, width = _LITERAL_CODES[256]
    return parts, hold | bits << count, count + width


class _Compress:
    """What `compressobj` gives. A flush ends a block; nothing before it is referred to after it."""

    def __init__(self, level=-1, method=DEFLATED, wbits=MAX_WBITS, memLevel=8, strategy=0, zdict=None):
        if method != DEFLATED or not (8 <= abs(wbits) <= 15 or 24 <= wbits <= 31) or not -1 <= level <= 9:
            raise ValueError("Invalid initialization option")
        if zdict:
            raise error("dictionaries are not there in this runtime")
        self._level, self._waiting, self._hold, self._count = level, bytearray(), 0, 0
        self._size, self._crc, self._adler = 0, 0, 1
        self._kind = "raw" if wbits < 0 else "gzip" if wbits > 15 else "zlib"
        # No time, no name; the system is not known.
        self._head = {"raw": b"", "gzip": b"\x1f\x8b\x08\0\0\0\0\0\0\xff", "zlib": b"\x78\x9c"}[self._kind]

    def compress(self, data):
        data = bytes(data)
        if self._kind == "zlib":
            self._adler = adler32(data, self._adler)
        elif self._kind == "gzip":
            self._crc = crc32(data, self._crc)
        self._size += len(data)
        self._waiting += data
        head, self._head = self._head, b""
        while len(self._waiting) >= 65535:
            head += self._block(bytes(self._waiting[:65535]))
            del self._waiting[:65535]
        return head

    def flush(self, mode=Z_FINISH):
        out, self._head = self._head, b""
        if self._waiting:
            out += self._block(bytes(self._waiting))
            self._waiting.clear()
        if mode == Z_NO_FLUSH:
            return out
        if mode != Z_FINISH:
            # An empty stored block, which ends on a whole byte.
            return out + self._stored(b"", 0)
        # An empty last block with the fixed codes.
        self._hold |= 3 << self._count
        self._count += 10
        out += self._hold.to_bytes((self._count + 7) // 8, "little")
        self._hold = self._count = 0
        if self._kind == "zlib":
            return out + self._adler.to_bytes(4, "big")
        if self._kind == "gzip":
            return out + self._crc.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little")
        return out

    def _block(self, data):
        if self._level != 0:
            parts, hold, count = _deflate(data)
            if len(parts) + count // 8 < len(data):
                whole = int.from_bytes(parts, "little") | hold << 8 * len(parts)
                return self._put(whole, 8 * len(parts) + count)
        return self._stored(data, 0)

    def _stored(self, data, last):
        out = self._put(last, 3)
        if self._count:
            out += self._put(0, 8 - self._count)
        return out + len(data).to_bytes(2, "little") + (len(data) ^ 0xFFFF).to_bytes(2, "little") + data

    def _put(self, bits, count):
        """Adds bits; gives the bytes that are whole."""
        hold, count = self._hold | bits << self._count, self._count + count
        whole = count // 8
        self._hold, self._count = hold >> 8 * whole, count % 8
        return (hold & (1 << 8 * whole) - 1).to_bytes(whole, "little")

    def copy(self):
        raise NotImplementedError("a compressor cannot be copied in this runtime")


def compressobj(level=-1, method=DEFLATED, wbits=MAX_WBITS, memLevel=DEF_MEM_LEVEL, strategy=Z_DEFAULT_STRATEGY, zdict=None):
    return _Compress(level, method, wbits, memLevel, strategy, zdict)


def compress(data, /, level=-1, wbits=MAX_WBITS):
    run = _Compress(level, DEFLATED, wbits)
    return run.compress(data) + run.flush()
