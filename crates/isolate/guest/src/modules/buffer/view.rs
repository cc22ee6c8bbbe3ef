//! The bytes behind typed arrays, array buffers and data views.

use boa_engine::{
    Context, JsNativeError, JsObject, JsResult, JsValue,
    object::builtins::{JsArrayBuffer, JsDataView, JsTypedArray},
};

/// A range of an array buffer.
pub(super) struct View {
    /// The buffer.
    pub(super) buffer: JsArrayBuffer,
    /// First byte.
    pub(super) offset: usize,
    /// Number of bytes.
    pub(super) len: usize,
}

impl View {
    /// What a typed array, a data view or an array buffer shows; `None` for other objects.
    pub(super) fn of(object: &JsObject, context: &mut Context) -> JsResult<Option<Self>> {
        if let Ok(array) = JsTypedArray::from_object(object.clone()) {
            let Some(buffer) = array.buffer(context)?.as_object() else { return Ok(None) };
            let (offset, len) = (array.byte_offset(context)?, array.byte_length(context)?);
            return Ok(JsArrayBuffer::from_object(buffer).ok().map(|buffer| Self { buffer, offset, len }));
        }
        if let Ok(buffer) = JsArrayBuffer::from_object(object.clone()) {
            let len = buffer.byte_length();
            return Ok(Some(Self { buffer, offset: 0, len }));
        }
        if let Ok(view) = JsDataView::from_object(object.clone()) {
            let Some(buffer) = view.buffer(context)?.as_object() else { return Ok(None) };
            let (offset, len) = (view.byte_offset(context)? as usize, view.byte_length(context)? as usize);
            return Ok(JsArrayBuffer::from_object(buffer).ok().map(|buffer| Self { buffer, offset, len }));
        }
        Ok(None)
    }

    /// The view of `this` in a method.
    pub(super) fn of_this(this: &JsValue, context: &mut Context) -> JsResult<Self> {
        Self::of_argument(this, context, "this")
    }

    /// The view of an argument that must have one.
    pub(super) fn of_argument(value: &JsValue, context: &mut Context, name: &str) -> JsResult<Self> {
        let view = match value.as_object() {
            Some(object) => Self::of(&object, context)?,
            None => None,
        };
        view.ok_or_else(|| JsNativeError::typ().with_message(format!("\"{name}\" is not a Buffer object")).into())
    }

    /// Runs `f` over the bytes; over none when the buffer is detached.
    pub(super) fn read<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        match &self.buffer.data() {
            Some(data) => f(data.get(self.offset..self.offset + self.len).unwrap_or_default()),
            None => f(&[]),
        }
    }

    /// Runs `f` over the bytes and lets it change them.
    pub(super) fn write<T>(&self, f: impl FnOnce(&mut [u8]) -> T) -> T {
        match &mut self.buffer.data_mut() {
            Some(data) => f(data.get_mut(self.offset..self.offset + self.len).unwrap_or_default()),
            None => f(&mut []),
        }
    }
}

/// A position argument between 0 and `len`; negative ones count from the end.
pub(super) fn relative(value: &JsValue, len: usize, default: usize, context: &mut Context) -> JsResult<usize> {
    if value.is_undefined() {
        return Ok(default);
    }
    let n = value.to_number(context)?;
    let n = if n.is_nan() { 0.0 } else { n.trunc() };
    Ok(if n < 0.0 { (len as f64 + n).max(0.0) as usize } else { n.min(len as f64) as usize })
}

/// A position argument between 0 and `max`, else a range error.
pub(super) fn absolute(
    value: &JsValue,
    max: usize,
    default: usize,
    name: &str,
    context: &mut Context,
) -> JsResult<usize> {
    if value.is_undefined() {
        return Ok(default);
    }
    let n = value.to_number(context)?.trunc();
    if (0.0..=max as f64).contains(&n) {
        return Ok(n as usize);
    }
    Err(JsNativeError::range().with_message(format!("\"{name}\" is out of range")).into())
}
