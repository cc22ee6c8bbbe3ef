//! `Buffer` (`cloudfront-functions.md` section 10.5).

use crate::harness::eval;

fn table(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

#[test]
fn buffers_are_made_of_text_bytes_and_objects() {
    table(&[
        ("Buffer.from('größe').join()", "103,114,195,182,195,159,101"),
        ("Buffer.from('6869', 'hex')", "hi"),
        ("Buffer.from('aGk=', 'base64')", "hi"),
        ("Buffer.from('-_8', 'base64url').toString('hex')", "fbff"),
        ("Buffer.from([1, 258, -1, '7', 1.9]).join()", "1,2,255,7,1"),
        ("Buffer.from(new Uint16Array([1, 256])).join()", "1,0"),
        ("Buffer.from(Buffer.from('x').toJSON())", "x"),
        ("Buffer.from({type: 'Buffer', data: [104, 105]})", "hi"),
        ("Buffer.from(new String('hi'))", "hi"),
        ("Buffer.alloc(3).join()", "0,0,0"),
        ("Buffer.alloc(5, 'ab')", "ababa"),
        ("Buffer.alloc(2, 7).join()", "7,7"),
        ("Buffer.from(1)", "TypeError: first argument is not a string or Buffer-like object"),
        ("Buffer.from('a', 'latin1')", "TypeError: \"latin1\" encoding is not supported"),
        ("Buffer.alloc(-1)", "RangeError: invalid size"),
        ("Buffer.alloc(1e12)", "RangeError: invalid size"),
        ("new Buffer(1)", "TypeError: not a constructor"),
    ]);
}

#[test]
fn a_buffer_over_an_array_buffer_shares_its_memory() {
    table(&[
        ("(() => { const a = new Uint8Array(4); Buffer.from(a.buffer, 1, 2)[0] = 9; return a.join() })()", "0,9,0,0"),
        ("(() => { const a = Buffer.from('abcd'); a.subarray(1, -1)[0] = 88; return a })()", "aXcd"),
        ("(() => { const a = Buffer.from('abcd'); a.slice(1, 3)[0] = 88; return a })()", "abcd"),
        ("(() => { const a = Buffer.from('abcd'); Buffer.from(a)[0] = 88; return a })()", "abcd"),
        ("Buffer.from('abcdef').subarray(2).subarray(1, 3)", "de"),
        ("Buffer.from('abcdef').subarray(2).byteOffset", "2"),
    ]);
}

#[test]
fn a_buffer_is_a_uint8_array() {
    table(&[
        ("Buffer.from('ab') instanceof Uint8Array && Buffer.from('ab') instanceof Buffer", "true"),
        ("[...Buffer.from('ab')].join() + Buffer.from('ab').length", "97,982"),
        (
            "Buffer.isBuffer(Buffer.alloc(1)) + ',' + Buffer.isBuffer(new Uint8Array(1)) + ',' + Buffer.isBuffer({})",
            "true,false,false",
        ),
        (
            "['utf8','hex','base64','base64url','latin1','UTF8'].map(Buffer.isEncoding).join()",
            "true,true,true,true,false,false",
        ),
        ("JSON.stringify(Buffer.from('ab'))", r#"{"type":"Buffer","data":[97,98]}"#),
        ("Buffer.from([3, 1, 2]).sort().map(x => x * 2).join()", "2,4,6"),
    ]);
}

#[test]
fn text_comes_out_in_each_encoding() {
    table(&[
        ("Buffer.from('größe').toString()", "größe"),
        ("Buffer.from('hi?>').toString('base64')", "aGk/Pg=="),
        ("Buffer.from('hi?>').toString('base64url')", "aGk_Pg"),
        ("Buffer.from('hi').toString('hex')", "6869"),
        ("Buffer.from('abcdef').toString('utf8', 1, 3)", "bc"),
        ("Buffer.from([255, 97]).toString()", "\u{fffd}a"),
        ("Buffer.byteLength('größe') + ',' + Buffer.byteLength('aGk=', 'base64')", "7,2"),
    ]);
}

#[test]
fn buffers_are_compared_searched_and_joined() {
    table(&[
        ("Buffer.concat([Buffer.from('ab'), new Uint8Array([99])])", "abc"),
        ("Buffer.concat([Buffer.from('abc')], 2) + Buffer.concat([Buffer.from('a')], 2).join()", "ab97,0"),
        (
            "[Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.from('b').compare(Buffer.from('a'))].join()",
            "-1,1",
        ),
        ("Buffer.from('xab').compare(Buffer.from('aby'), 0, 2, 1, 3)", "0"),
        ("Buffer.from('a').equals(Buffer.from('a')) + ',' + Buffer.from('a').equals(Buffer.from('b'))", "true,false"),
        ("Buffer.from('abcabc').indexOf('c') + ',' + Buffer.from('abcabc').indexOf('c', 3)", "2,5"),
        ("Buffer.from('abcabc').lastIndexOf('ab') + ',' + Buffer.from('abcabc').lastIndexOf('ab', 2)", "3,0"),
        ("Buffer.from('abc').includes(98) + ',' + Buffer.from('abc').includes('x')", "true,false"),
        ("Buffer.from('abc').indexOf('YmM=', 'base64')", "1"),
        ("(() => { const a = Buffer.from('abcd'); return a.copy(a, 1, 0, 3) + a.toString() })()", "3aabc"),
    ]);
}

#[test]
fn bytes_are_filled_written_and_swapped() {
    table(&[
        ("Buffer.alloc(4).fill('ab').toString() + Buffer.alloc(4).fill(1, 1, 3).join()", "abab0,1,1,0"),
        ("(() => { const b = Buffer.alloc(4); return b.write('xyz', 2) + ',' + b.join() })()", "2,0,0,120,121"),
        ("(() => { const b = Buffer.alloc(4); return b.write('6869', 'hex') + b.toString('utf8', 0, 2) })()", "2hi"),
        ("Buffer.alloc(4).write('a家')", "4"),
        ("Buffer.alloc(3).write('a家')", "1"),
        (
            "Buffer.from([1, 2, 3, 4]).swap16().join() + ';' + Buffer.from([1, 2, 3, 4]).swap32().join()",
            "2,1,4,3;4,3,2,1",
        ),
        ("Buffer.from([1, 2, 3]).swap16()", "RangeError: Buffer size must be a multiple of 16-bits"),
    ]);
}

#[test]
fn numbers_are_read_and_written_in_both_orders() {
    table(&[
        ("Buffer.from([0xff]).readInt8() + ',' + Buffer.from([0xff]).readUInt8(0)", "-1,255"),
        ("Buffer.from([1, 2]).readUInt16BE() + ',' + Buffer.from([1, 2]).readUInt16LE()", "258,513"),
        ("Buffer.from([0xff, 0xfe]).readInt16BE() + ',' + Buffer.from([0, 0x80]).readInt16LE()", "-2,-32768"),
        (
            "Buffer.from([0xff, 0xff, 0xff, 0xff]).readUInt32LE() + ',' + Buffer.from([0xff, 0xff, 0xff, 0xff]).readInt32BE()",
            "4294967295,-1",
        ),
        ("Buffer.from([1, 2, 3, 4, 5, 6]).readUIntBE(0, 6).toString(16)", "10203040506"),
        ("Buffer.from([1, 2, 3]).readIntLE(0, 3).toString(16)", "30201"),
        (
            "(() => { const b = Buffer.alloc(12); b.writeDoubleBE(-1.5, 0); b.writeFloatLE(0.5, 8); return b.readDoubleBE(0) + ',' + b.readFloatLE(8) })()",
            "-1.5,0.5",
        ),
        ("(() => { const b = Buffer.alloc(6); b.writeIntBE(-2, 0, 6); return b.toString('hex') })()", "fffffffffffe"),
        ("(() => { const b = Buffer.alloc(4); return b.writeUInt16LE(0x102, 1) + b.toString('hex') })()", "300020100"),
        ("Buffer.alloc(1).readInt16LE(0)", "RangeError: index 0 is outside the bound of the buffer"),
        ("Buffer.alloc(4).readUIntLE(0, 7)", "RangeError: \"byteLength\" is out of range"),
        ("Buffer.alloc(2).writeInt8(1, 2)", "RangeError: index 2 is outside the bound of the buffer"),
    ]);
}
