//! Numbers in Buffers: `readInt8` to `writeDoubleLE`.

use boa_engine::{
    Context, JsArgs, JsNativeError, JsResult, JsValue, NativeFunction, js_string, object::ConstructorBuilder,
};

use super::view::{View, absolute};

/// What the bytes mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Float,
}

/// A number's place in the bytes.
#[derive(Clone, Copy)]
struct Format {
    kind: Kind,
    /// Number of bytes; 0 when an argument says it (1 to 6).
    width: usize,
    little_endian: bool,
}

/// Names without `read` or `write`.
const FORMATS: &[(&str, Kind, usize)] = &[
    ("Int8", Kind::Signed, 1),
    ("UInt8", Kind::Unsigned, 1),
    ("Int16", Kind::Signed, 2),
    ("UInt16", Kind::Unsigned, 2),
    ("Int32", Kind::Signed, 4),
    ("UInt32", Kind::Unsigned, 4),
    ("Int", Kind::Signed, 0),
    ("UInt", Kind::Unsigned, 0),
    ("Float", Kind::Float, 4),
    ("Double", Kind::Float, 8),
];

/// Adds the methods to the prototype.
pub(super) fn define(builder: &mut ConstructorBuilder<'_>) {
    for &(name, kind, width) in FORMATS {
        let orders: &[(&str, bool)] = if width == 1 { &[("", false)] } else { &[("BE", false), ("LE", true)] };
        for &(order, little_endian) in orders {
            let format = Format { kind, width, little_endian };
            let reader =
                NativeFunction::from_copy_closure(move |this, args, context| read(format, this, args, context));
            let writer =
                NativeFunction::from_copy_closure(move |this, args, context| write(format, this, args, context));
            builder.method(reader, js_string!(format!("read{name}{order}")), 1);
            builder.method(writer, js_string!(format!("write{name}{order}")), 2);
        }
    }
}

impl Format {
    fn width(self, argument: &JsValue, context: &mut Context) -> JsResult<usize> {
        if self.width > 0 {
            return Ok(self.width);
        }
        match absolute(argument, 6, 0, "byteLength", context)? {
            0 => Err(JsNativeError::range().with_message("\"byteLength\" is out of range").into()),
            n => Ok(n),
        }
    }

    fn decode(self, bytes: &[u8]) -> f64 {
        let mut word = [0; 8];
        let n = bytes.len();
        if self.little_endian {
            word[..n].copy_from_slice(bytes);
        } else {
            word[..n].iter_mut().zip(bytes.iter().rev()).for_each(|(w, b)| *w = *b);
        }
        let bits = u64::from_le_bytes(word);
        let unused = 64 - 8 * n as u32;
        match self.kind {
            Kind::Unsigned => bits as f64,
            Kind::Signed => ((bits << unused) as i64 >> unused) as f64,
            Kind::Float if n == 4 => f64::from(f32::from_bits(bits as u32)),
            Kind::Float => f64::from_bits(bits),
        }
    }

    fn encode(self, value: f64, bytes: &mut [u8]) {
        let bits = match self.kind {
            Kind::Float if bytes.len() == 4 => u64::from((value as f32).to_bits()),
            Kind::Float => value.to_bits(),
            // Wraps around, as typed arrays do.
            _ if value.is_finite() => value.trunc().rem_euclid(2f64.powi(48)) as u64,
            _ => 0,
        };
        let word = bits.to_le_bytes();
        bytes.copy_from_slice(&word[..bytes.len()]);
        if !self.little_endian {
            bytes.reverse();
        }
    }
}

fn outside(offset: f64) -> boa_engine::JsError {
    JsNativeError::range().with_message(format!("index {offset} is outside the bound of the buffer")).into()
}

fn place(argument: &JsValue, width: usize, len: usize, context: &mut Context) -> JsResult<usize> {
    let offset = if argument.is_undefined() { 0.0 } else { argument.to_number(context)?.trunc() };
    match len.checked_sub(width) {
        Some(last) if (0.0..=last as f64).contains(&offset) => Ok(offset as usize),
        _ => Err(outside(offset)),
    }
}

/// `read...(offset[, byteLength])`.
fn read(format: Format, this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let width = format.width(args.get_or_undefined(1), context)?;
    let at = place(args.get_or_undefined(0), width, view.len, context)?;
    let value = view.read(|bytes| bytes.get(at..at + width).map(|bytes| format.decode(bytes)));
    value.map(JsValue::from).ok_or_else(|| outside(at as f64))
}

/// `write...(value, offset[, byteLength])`; returns the offset behind the number.
fn write(format: Format, this: &JsValue, args: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let view = View::of_this(this, context)?;
    let value = args.get_or_undefined(0).to_number(context)?;
    let width = format.width(args.get_or_undefined(2), context)?;
    let at = place(args.get_or_undefined(1), width, view.len, context)?;
    view.write(|bytes| {
        if let Some(bytes) = bytes.get_mut(at..at + width) {
            format.encode(value, bytes);
        }
    });
    Ok(JsValue::from((at + width) as f64))
}
