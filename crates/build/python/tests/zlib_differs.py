"""Compares `shims/zlib.py` with the real one, in both directions: `python3 zlib_differs.py SHIM`. Silent when they agree."""

import importlib.util
import random
import sys
import zlib as real

spec = importlib.util.spec_from_file_location("ours", sys.argv[1])
ours = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ours)
random.seed(7)


def sample(size):
    kind = random.randrange(5)
    if kind == 0:
        return random.randbytes(size)
    if kind == 1:
        return bytes(random.choice(b"abc") for _ in range(size))
    if kind == 2:
        return b"The quick brown fox %d " % size * (size // 20 + 1)
    if kind == 3:
        return bytes(size)
    words = ("edge", "function", "header", "origin", "request", "é")
    return " ".join(random.choice(words) for _ in range(size // 6)).encode()


def deflated(text, level, wbits):
    """By the real one: in one piece, or with a flush in its middle and fixed or no repetitions."""
    if random.random() < 0.7:
        run = real.compressobj(level, real.DEFLATED, wbits)
        return run.compress(text) + run.flush()
    run = real.compressobj(level, real.DEFLATED, wbits, 8, random.choice([real.Z_FIXED, real.Z_HUFFMAN_ONLY]))
    half = len(text) // 2
    return run.compress(text[:half]) + run.flush(real.Z_SYNC_FLUSH) + run.compress(text[half:]) + run.flush()


def check_stream(data, text, wbits, step):
    run, got, more = ours.decompressobj(wbits), b"", data + b"TAIL"
    for at in range(0, len(more), step):
        got += run.decompress(more[at : at + step])
    got += run.flush()
    assert (got, run.eof, run.unused_data) == (text, True, b"TAIL")


def check_bounded(data, text, wbits, step, most):
    run, got, at = ours._ZlibDecompressor(wbits=wbits), b"", 0
    while not run.eof:
        chunk = b""
        if run.needs_input:
            chunk, at = data[at : at + step], at + step
            assert chunk, "it wants more than there is"
        part = run.decompress(chunk, most)
        assert len(part) <= most
        got += part
    assert got == text


def check_damaged(data, wbits):
    damaged = bytearray(data)
    damaged[random.randrange(len(damaged))] ^= 1 << random.randrange(8)
    results = []
    for module in (real, ours):
        try:
            results.append(module.decompress(bytes(damaged), wbits))
        except module.error:
            results.append(None)
    assert results[0] == results[1]


for turn in range(120):
    text = sample(random.choice([40000, 100000]) if turn % 40 == 0 else random.choice([0, 1, 2, 3, 10, 300, 5000]))
    assert ours.crc32(text) == real.crc32(text) and ours.adler32(text) == real.adler32(text)
    for wbits in (15, -15, 31):
        level = random.choice([0, 1, 6, 9, -1])
        data = deflated(text, level, wbits)
        assert ours.decompress(data, wbits) == text
        assert wbits < 0 or ours.decompress(data, 47) == text, "the frame is found out"
        small = ours.compress(text, level, wbits)
        assert real.decompress(small, wbits) == text and len(small) < len(text) + len(text) // 1000 * 5 + 40
        step = random.choice([1, 7, 100, 5000]) if len(data) < 2000 else 4096
        check_stream(data, text, wbits, step)
        check_bounded(data, text, wbits, step, random.choice([1, 50, 8192]) if len(text) < 5001 else 8192)
        check_damaged(data, wbits)
        try:
            ours.decompress(data[:-1], wbits)
        except ours.error:
            continue
        raise AssertionError("what is cut off was taken for whole")
