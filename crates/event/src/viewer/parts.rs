//! Parameters and cookies: a returned map against the message's own parts.

use crate::text::presented;
use rimward_wire::reply::{Field, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// One parameter or cookie of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) value: Cow<'a, str>,
    /// Of response cookies alone.
    pub(super) attributes: Option<Cow<'a, str>>,
    /// As it stands in the message.
    pub(super) raw: &'a [u8],
}

impl<'a> Part<'a> {
    /// Splits at the first `=`; without one the value is empty (`cloudfront-functions.md` section 3.1).
    pub(super) fn split(raw: &'a [u8]) -> Self {
        let (name, value) = match raw.iter().position(|b| *b == b'=') {
            Some(i) => (&raw[..i], &raw[i + 1..]),
            None => (raw, &raw[raw.len()..]),
        };
        Self { name: presented(name), value: presented(value), attributes: None, raw }
    }

    fn equals(&self, value: &Value<'_>) -> bool {
        self.value == value.text && self.attributes.as_deref() == value.attributes.filter(|text| !text.is_empty())
    }
}

/// What stands where a part stood, or follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As in the message.
    Kept(&'a [u8]),
    /// From the function.
    New { name: &'a str, value: &'a Value<'a> },
}

/// Whose order a returned map is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Names that were in the message keep their place, new ones follow: the order of cookies says nothing.
    Message,
    /// As returned: the event's own map keeps wire order whatever is done to it, and a map that the function made has the
    /// order that it was given, as in the vendor's engine (`cloudfront-functions.md` section 3.2).
    Returned,
}

/// Applies a returned map. `None`: nothing changed, so that the message's text stays as it is.
/// Values of a name are adjacent (`cloudfront-functions.md` section 3.2).
pub(super) fn apply<'a>(parts: &'a [Part<'a>], fields: &'a [Field<'a>], by: Order) -> Option<Vec<Piece<'a>>> {
    let mut own: HashMap<&str, Vec<&Part<'_>>> = HashMap::with_capacity(parts.len());
    let mut order = Vec::with_capacity(parts.len());
    for part in parts {
        let values = own.entry(&part.name).or_insert_with(|| {
            order.push(&*part.name);
            Vec::new()
        });
        values.push(part);
    }
    let mut given: Vec<&Field<'_>> = fields.iter().filter(|field| !field.values.is_empty()).collect();
    if by == Order::Message {
        given.sort_by_key(|field| order.iter().position(|name| *name == field.name).unwrap_or(usize::MAX));
    }
    let mut changed = !given.iter().map(|field| field.name).eq(order);
    let mut pieces = Vec::with_capacity(parts.len() + fields.len());
    for field in given {
        match own.get(field.name) {
            Some(values) if is_same(values, &field.values) => {
                pieces.extend(values.iter().map(|part| Piece::Kept(part.raw)));
            }
            _ => {
                changed = true;
                pieces.extend(field.values.iter().map(|value| Piece::New { name: field.name, value }));
            }
        }
    }
    changed.then_some(pieces)
}

fn is_same(parts: &[&Part<'_>], values: &[Value<'_>]) -> bool {
    parts.len() == values.len() && parts.iter().zip(values).all(|(part, value)| part.equals(value))
}
