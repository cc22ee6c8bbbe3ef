//! Returned maps of headers, cookies and query parameters.

use boa_engine::{Context, JsObject, JsString, JsValue, property::PropertyKey};

use super::{Map, ReplyReader, invalid, measured, text};
use crate::{
    failure::Fault,
    fields::{Content, Fields},
    text::equals,
    wire_event::Entry,
};

/// The values that a name had in the message.
struct Was<'a> {
    bytes: &'a [u8],
    values: &'a [Entry],
}

/// One value that the function gave.
struct Said {
    text: JsString,
    attributes: Option<JsString>,
}

impl ReplyReader<'_> {
    /// Writes a map, or its first mark alone when the event's own says what it said before.
    pub(super) fn map(
        &self,
        context: &mut Context,
        value: &JsValue,
        map: &Map<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let start = out.len();
        if value.is_null_or_undefined() {
            // A map that was deleted is empty (section 4.1 rule 5); one that never was is not there.
            if map.original.is_some() {
                out.extend_from_slice(&[map.marks[1], 0, 0]);
            } else {
                out.push(map.marks[0]);
            }
            return Ok(());
        }
        let Some(object) = value.as_object() else { return invalid(format!("{} must be an object", map.place)) };
        let own = map.original.is_some_and(|o| JsObject::equals(o, &object));
        let plainly = |object: &JsObject| object.downcast_ref::<Fields>().is_some_and(|f| f.is_plainly_the_message());
        if own && !has_table(&object) && plainly(&object) {
            out.push(map.marks[0]);
            return Ok(());
        }
        out.extend_from_slice(&[map.marks[1], 0, 0]);
        let mut count = 0usize;
        let same = own && self.own_slots(context, &object, map, &mut count, out)?;
        let others = self.other_entries(context, &object, map, own, &mut count, out)?;
        if same && !others {
            out.truncate(start);
            out.push(map.marks[0]);
            return Ok(());
        }
        let Ok(count) = u16::try_from(count) else { return invalid(format!("{} has too many entries", map.place)) };
        out[start + 1..start + 3].copy_from_slice(&count.to_le_bytes());
        Ok(())
    }

    /// Writes the names of the event's own map; says whether all are there and as they were.
    fn own_slots(
        &self,
        context: &mut Context,
        object: &JsObject,
        map: &Map<'_>,
        count: &mut usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let length = object.downcast_ref::<Fields>().map_or(0, |f| f.len());
        let mut same = true;
        for index in 0..length {
            // The map is not borrowed while an entry is read: that may run code of the function.
            let Some(fields) = object.downcast_ref::<Fields>() else { break };
            let content = fields.slot(index);
            if matches!(content, Content::Gone) {
                same &= !fields.is_of_message(index);
                continue;
            }
            *count += 1;
            let name_at = out.len();
            measured(out, |out| fields.push_name(index, out));
            let bytes = fields.bytes();
            let Content::Value(entry) = content else {
                write_wire(bytes, fields.wire_of(index), out);
                continue;
            };
            let wire = fields.wire_of(index).to_vec();
            drop(fields);
            let was = Was { bytes, values: &wire };
            same &= self.entry(context, &entry, &was, map, name_at, out)?;
        }
        Ok(same)
    }

    /// Writes the entries of a map that is not the event's, or what does not lie in the slots of the event's; says whether there were any.
    fn other_entries(
        &self,
        context: &mut Context,
        object: &JsObject,
        map: &Map<'_>,
        own: bool,
        count: &mut usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        if own && !has_table(object) {
            return Ok(false);
        }
        let in_slots = if own { object.downcast_ref::<Fields>().map_or(0, |f| f.present()) } else { 0 };
        let mut keys = object.own_property_keys(context)?;
        keys.drain(..in_slots.min(keys.len()));
        if matches!(keys.first(), Some(PropertyKey::Index(_))) {
            keys = in_wire_order(keys, map);
        }
        let mut any = false;
        for key in keys {
            let name = match &key {
                PropertyKey::String(s) => s.clone(),
                PropertyKey::Index(i) => JsString::from(i.get().to_string()),
                PropertyKey::Symbol(_) => continue,
            };
            any = true;
            *count += 1;
            let original = map.original.and_then(|o| o.downcast_ref::<Fields>());
            let (bytes, wire) = match &original {
                Some(fields) => (fields.bytes(), fields.wire_of_key(&key).to_vec()),
                None => (self.event.bytes, Vec::new()),
            };
            drop(original);
            let entry = object.get(key, context)?;
            let name_at = out.len();
            text(out, &name);
            let was = Was { bytes, values: &wire };
            self.entry(context, &entry, &was, map, name_at, out)?;
        }
        Ok(any)
    }

    /// Writes the values of one name, which stands at `name_at`; says whether they are what the event had. Precedence: section 4.1 rule 6.
    fn entry(
        &self,
        context: &mut Context,
        entry: &JsValue,
        was: &Was<'_>,
        map: &Map<'_>,
        name_at: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let name_end = out.len();
        let place = || {
            let name = out.get(name_at + 4..name_end).unwrap_or_default();
            format!("{}[\"{}\"]", map.place, String::from_utf8_lossy(name))
        };
        let Some(entry) = entry.as_object() else { return invalid(format!("{} must be an object", place())) };
        if let Some(text) = self.shapes.plain_value(&entry) {
            let said = Said { text, attributes: None };
            out.extend_from_slice(&1u16.to_le_bytes());
            said.write(out);
            return Ok(was.values.len() == 1 && was.first_is(&said));
        }
        let multi = self.member(context, &entry, &self.shapes.names.multi_value)?;
        if multi.is_null_or_undefined() {
            let said = self.value(context, &entry, map, &place)?;
            out.extend_from_slice(&1u16.to_le_bytes());
            said.write(out);
            return Ok(was.values.len() == 1 && was.first_is(&said));
        }
        let Some(multi) = multi.as_object().filter(JsObject::is_array) else {
            return invalid(format!("{}.multiValue must be an array", place()));
        };
        let length = multi.get(self.shapes.names.length.clone(), context)?.as_number().unwrap_or_default();
        if length > f64::from(u16::MAX) {
            return invalid(format!("{}.multiValue has too many elements", place()));
        }
        let mut all = Vec::with_capacity(length as usize);
        for i in 0..length as u32 {
            let element = multi.get(i, context)?;
            let place = || format!("{}.multiValue[{i}]", place());
            let Some(element) = element.as_object() else { return invalid(format!("{} must be an object", place())) };
            all.push(self.value(context, &element, map, &place)?);
        }
        let mut same = all.len() == was.values.len() && all.iter().zip(was.values).all(|(a, w)| a.is(was.bytes, w));
        if same && let Some(first) = all.first_mut() {
            let value = self.member(context, &entry, &self.shapes.names.value)?;
            if !value.is_undefined() {
                let said = self.value(context, &entry, map, &place)?;
                if !was.first_is(&said) {
                    *first = said;
                    same = false;
                }
            }
        }
        out.extend_from_slice(&(all.len() as u16).to_le_bytes());
        all.iter().for_each(|v| v.write(out));
        Ok(same)
    }

    fn value(
        &self,
        context: &mut Context,
        of: &JsObject,
        map: &Map<'_>,
        place: &dyn Fn() -> String,
    ) -> Result<Said, Fault> {
        let text = self.member(context, of, &self.shapes.names.value)?;
        let Some(text) = text.as_string() else { return invalid(format!("{}.value must be a string", place())) };
        let mut said = Said { text, attributes: None };
        if map.attributes {
            let value = self.member(context, of, &self.shapes.names.attributes)?;
            if !value.is_null_or_undefined() {
                let Some(value) = value.as_string() else {
                    return invalid(format!("{}.attributes must be a string", place()));
                };
                said.attributes = Some(value);
            }
        }
        Ok(said)
    }
}

impl Was<'_> {
    fn first_is(&self, said: &Said) -> bool {
        self.values.first().is_some_and(|first| said.is(self.bytes, first))
    }
}

impl Said {
    fn is(&self, bytes: &[u8], wire: &Entry) -> bool {
        equals(&self.text, wire.value.of(bytes))
            && match (&self.attributes, wire.attributes) {
                (None, None) => true,
                (Some(a), Some(b)) => equals(a, b.of(bytes)),
                _ => false,
            }
    }

    fn write(&self, out: &mut Vec<u8>) {
        text(out, &self.text);
        match &self.attributes {
            None => out.push(0),
            Some(attributes) => {
                out.push(1);
                text(out, attributes);
            }
        }
    }
}

/// The engine lists integer-like names first; CloudFront's does not (section 3.2). Where a copy of the event's map has such names,
/// the names of the message go back to their places.
fn in_wire_order(keys: Vec<PropertyKey>, map: &Map<'_>) -> Vec<PropertyKey> {
    let Some(original) = map.original.and_then(|o| o.downcast_ref::<Fields>()) else { return keys };
    let mut ordered = original.keys_of_message();
    ordered.retain(|key| keys.contains(key));
    let others: Vec<_> = keys.into_iter().filter(|key| !ordered.contains(key)).collect();
    ordered.extend(others);
    ordered
}

/// Whether a map of the event has properties outside its slots.
fn has_table(object: &JsObject) -> bool {
    let object = object.borrow();
    !object.shape().keys().is_empty() || object.properties().index_property_keys().next().is_some()
}

/// Values that nobody asked for, from the event's bytes.
fn write_wire(bytes: &[u8], values: &[Entry], out: &mut Vec<u8>) {
    out.extend_from_slice(&(values.len() as u16).to_le_bytes());
    for entry in values {
        measured(out, |out| out.extend_from_slice(entry.value.of(bytes)));
        match entry.attributes {
            None => out.push(0),
            Some(attributes) => {
                out.push(1);
                measured(out, |out| out.extend_from_slice(attributes.of(bytes)));
            }
        }
    }
}
