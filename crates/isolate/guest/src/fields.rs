//! Maps of headers, cookies and query parameters.
//!
//! Such a map looks like an ordinary object. Inside it is the message's own list: the object of a name is made when the function asks for it, and
//! names keep the order that they have on the wire, whatever they look like (`cloudfront-functions.md` section 3.2). What a function leaves
//! alone goes back as it came.
//!
//! Properties other than plain ones (accessors, read-only ones, symbols) live where the engine has them for all objects.

use boa_engine::{
    Context, Finalize, JsData, JsObject, JsResult, JsValue, Trace,
    object::internal_methods::{
        InternalMethodPropertyContext, InternalObjectMethods, ORDINARY_INTERNAL_METHODS, ordinary_define_own_property,
        ordinary_delete, ordinary_get, ordinary_get_own_property, ordinary_has_property, ordinary_own_property_keys,
        ordinary_prevent_extensions, ordinary_set, ordinary_try_get,
    },
    property::{PropertyDescriptor, PropertyKey},
    string::JsStrVariant,
};

use crate::{
    shapes::Shapes,
    text::{is_ascii, push_utf8},
    wire_event::{Entry, Span},
};

/// The data behind a map.
#[derive(Trace, Finalize)]
pub(crate) struct Fields {
    #[unsafe_ignore_trace]
    bytes: &'static [u8],
    // SAFETY (ignored in tracing): what is not traced counts as a root; shapes live as long as the engine anyway.
    #[unsafe_ignore_trace]
    shapes: &'static Shapes,
    /// All values of the message; those of one name lie side by side.
    #[unsafe_ignore_trace]
    values: Vec<Entry>,
    slots: Vec<Slot>,
}

/// A name.
#[derive(Trace, Finalize)]
struct Slot {
    #[unsafe_ignore_trace]
    name: Name,
    /// Its values in the message.
    #[unsafe_ignore_trace]
    wire: (u32, u32),
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Wire(Span),
    Js(PropertyKey),
}

/// What the function sees under a name.
#[derive(Debug, Clone, Trace, Finalize)]
#[boa_gc(unsafe_no_drop)]
pub(crate) enum Content {
    /// Not asked for yet.
    Untouched,
    /// Asked for or set.
    Value(JsValue),
    /// Deleted.
    Gone,
}

impl JsData for Fields {
    fn internal_methods(&self) -> &'static InternalObjectMethods {
        static METHODS: InternalObjectMethods = InternalObjectMethods {
            __get_own_property__: get_own_property,
            __define_own_property__: define_own_property,
            __has_property__: has_property,
            __get__: get,
            __try_get__: try_get,
            __set__: set,
            __delete__: delete,
            __own_property_keys__: own_property_keys,
            __prevent_extensions__: prevent_extensions,
            ..ORDINARY_INTERNAL_METHODS
        };
        &METHODS
    }
}

impl Fields {
    /// A map of these entries.
    pub(crate) fn object(bytes: &'static [u8], entries: Vec<Entry>, shapes: &'static Shapes) -> JsObject {
        let mut slots: Vec<Slot> = Vec::with_capacity(entries.len() + 2);
        let mut repeated = false;
        // Names that could be one of those before: of the same length and with the same last byte, as a rule.
        let mut seen = 0u64;
        for (i, entry) in entries.iter().enumerate() {
            let name = entry.name.of(bytes);
            let mark = 1 << ((name.len() + 7 * usize::from(name.last().copied().unwrap_or_default())) & 63);
            let known = if seen & mark == 0 {
                None
            } else {
                slots.iter_mut().find(|s| entries[s.wire.0 as usize].name.of(bytes) == name)
            };
            seen |= mark;
            if let Some(slot) = known {
                slot.wire.1 += 1;
                repeated = true;
            } else {
                let plain = is_ascii(name) && !name.first().is_some_and(u8::is_ascii_digit);
                let name = if plain { Name::Wire(entry.name) } else { Name::Js(entry.name.js(bytes).into()) };
                slots.push(Slot { name, wire: (i as u32, 1), content: Content::Untouched });
            }
        }
        let values = if repeated { side_by_side(bytes, &entries, &mut slots) } else { entries };
        shapes.fields.create(Self { bytes, shapes, values, slots }, Vec::new())
    }

    /// The place of a name among the slots that are `wanted`.
    fn find_among(&self, key: &PropertyKey, wanted: impl Fn(&Slot) -> bool) -> Option<usize> {
        // What is on the wire under its own name is ASCII, so that other texts are only among the engine's.
        let text = match key {
            PropertyKey::String(text) => match text.as_str().variant() {
                JsStrVariant::Latin1(text) => Some(text),
                JsStrVariant::Utf16(_) => None,
            },
            _ => None,
        };
        self.slots.iter().position(|slot| {
            wanted(slot)
                && match &slot.name {
                    Name::Wire(span) => text.is_some_and(|text| span.of(self.bytes) == text),
                    Name::Js(name) => name == key,
                }
        })
    }

    fn find(&self, key: &PropertyKey) -> Option<usize> {
        self.find_among(key, |slot| !matches!(slot.content, Content::Gone))
    }

    fn key(&self, slot: &Slot) -> PropertyKey {
        match &slot.name {
            // Names of headers that everybody sends exist already.
            Name::Wire(span) => match std::str::from_utf8(span.of(self.bytes)) {
                Ok(name) => self.shapes.names.header(name),
                Err(_) => PropertyKey::from(span.js(self.bytes)),
            },
            Name::Js(key) => key.clone(),
        }
    }

    fn wire(&self, slot: &Slot) -> &[Entry] {
        let (start, count) = (slot.wire.0 as usize, slot.wire.1 as usize);
        self.values.get(start..start + count).unwrap_or_default()
    }

    /// Number of slots, for [`Fields::slot`].
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Number of names that are slots and not deleted.
    pub(crate) fn present(&self) -> usize {
        self.slots.iter().filter(|s| !matches!(s.content, Content::Gone)).count()
    }

    /// What stands under a slot.
    pub(crate) fn slot(&self, index: usize) -> Content {
        self.slots.get(index).map_or(Content::Gone, |s| s.content.clone())
    }

    /// Whether a slot came with the message.
    pub(crate) fn is_of_message(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(|s| s.wire.1 > 0)
    }

    /// The values that a slot had in the message.
    pub(crate) fn wire_of(&self, index: usize) -> &[Entry] {
        self.slots.get(index).map_or(&[], |slot| self.wire(slot))
    }

    /// The values that a name had in the message.
    pub(crate) fn wire_of_key(&self, key: &PropertyKey) -> &[Entry] {
        self.find_among(key, |slot| slot.wire.1 > 0).map_or(&[], |index| self.wire_of(index))
    }

    /// The names of the message in its order, deleted ones too.
    pub(crate) fn keys_of_message(&self) -> Vec<PropertyKey> {
        self.slots.iter().filter(|slot| slot.wire.1 > 0).map(|slot| self.key(slot)).collect()
    }

    /// The message.
    pub(crate) fn bytes(&self) -> &'static [u8] {
        self.bytes
    }

    /// Whether the slots say what the message said, as far as that can be told without running code of the function.
    pub(crate) fn is_plainly_the_message(&self) -> bool {
        self.slots.iter().all(|slot| match (&slot.content, self.wire(slot)) {
            (Content::Untouched, _) => true,
            (Content::Value(value), [entry]) => self.shapes.is_entry(value, self.bytes, entry),
            _ => false,
        })
    }

    /// Appends a slot's name as UTF-8.
    pub(crate) fn push_name(&self, index: usize, out: &mut Vec<u8>) {
        match self.slots.get(index).map(|s| &s.name) {
            Some(Name::Wire(span)) => out.extend_from_slice(span.of(self.bytes)),
            Some(Name::Js(PropertyKey::String(name))) => push_utf8(out, name),
            Some(Name::Js(PropertyKey::Index(i))) => out.extend_from_slice(i.get().to_string().as_bytes()),
            _ => {}
        }
    }
}

/// Brings the values of each name together, in the order of names.
fn side_by_side(bytes: &[u8], entries: &[Entry], slots: &mut [Slot]) -> Vec<Entry> {
    let mut values = Vec::with_capacity(entries.len());
    for slot in slots {
        let first = slot.wire.0 as usize;
        let name = entries[first].name.of(bytes);
        slot.wire.0 = values.len() as u32;
        values.extend(entries[first..].iter().filter(|e| e.name.of(bytes) == name));
    }
    values
}

/// Runs `f` over the map's data.
fn with<T>(object: &JsObject, f: impl FnOnce(&mut Fields) -> T) -> Option<T> {
    object.downcast_mut::<Fields>().map(|mut fields| f(&mut fields))
}

/// Values of a name, out of the map's hands; nearly always there is one.
enum Entries {
    One([Entry; 1]),
    Many(Vec<Entry>),
}

impl Entries {
    fn of(entries: &[Entry]) -> Self {
        match entries {
            [one] => Self::One([*one]),
            many => Self::Many(many.to_vec()),
        }
    }

    fn as_slice(&self) -> &[Entry] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

/// The value under a name, made if it was not asked for before.
fn value(object: &JsObject, key: &PropertyKey, context: &mut Context) -> JsResult<Option<JsValue>> {
    let found = with(object, |fields| {
        let index = fields.find(key)?;
        Some(match &fields.slots[index].content {
            Content::Value(value) => Ok(value.clone()),
            _ => Err((index, fields.bytes, fields.shapes, Entries::of(fields.wire_of(index)))),
        })
    });
    match found.flatten() {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err((index, bytes, shapes, entries))) => {
            let made = JsValue::from(shapes.entry(bytes, entries.as_slice(), context)?);
            with(object, |fields| fields.slots[index].content = Content::Value(made.clone()));
            Ok(Some(made))
        }
    }
}

fn plain(value: JsValue) -> PropertyDescriptor {
    PropertyDescriptor::builder().value(value).writable(true).enumerable(true).configurable(true).build()
}

// What the engine remembers about places of properties (its inline caches) must not be filled from these objects:
// each call goes on with a context of its own, whose notes are dropped.

type Ctx<'a> = InternalMethodPropertyContext<'a>;

fn get_own_property(
    object: &JsObject,
    key: &PropertyKey,
    context: &mut Ctx<'_>,
) -> JsResult<Option<PropertyDescriptor>> {
    match value(object, key, context)? {
        Some(value) => Ok(Some(plain(value))),
        None => ordinary_get_own_property(object, key, &mut Ctx::new(context)),
    }
}

fn has_property(object: &JsObject, key: &PropertyKey, context: &mut Ctx<'_>) -> JsResult<bool> {
    if with(object, |fields| fields.find(key).is_some()).unwrap_or_default() {
        return Ok(true);
    }
    ordinary_has_property(object, key, &mut Ctx::new(context))
}

fn get(object: &JsObject, key: &PropertyKey, receiver: JsValue, context: &mut Ctx<'_>) -> JsResult<JsValue> {
    match value(object, key, context)? {
        Some(value) => Ok(value),
        None => ordinary_get(object, key, receiver, &mut Ctx::new(context)),
    }
}

fn try_get(
    object: &JsObject,
    key: &PropertyKey,
    receiver: JsValue,
    context: &mut Ctx<'_>,
) -> JsResult<Option<JsValue>> {
    match value(object, key, context)? {
        Some(value) => Ok(Some(value)),
        None => ordinary_try_get(object, key, receiver, &mut Ctx::new(context)),
    }
}

fn set(
    object: &JsObject,
    key: PropertyKey,
    value: JsValue,
    receiver: JsValue,
    context: &mut Ctx<'_>,
) -> JsResult<bool> {
    if receiver.as_object().is_some_and(|r| JsObject::equals(&r, object)) {
        let replaced = with(object, |fields| {
            let index = fields.find(&key)?;
            fields.slots[index].content = Content::Value(value.clone());
            Some(())
        });
        if replaced.flatten().is_some() {
            return Ok(true);
        }
        if is_free(object, &key, context) {
            let slot = Slot { name: Name::Js(key), wire: (0, 0), content: Content::Value(value) };
            with(object, |fields| fields.slots.push(slot));
            return Ok(true);
        }
    }
    ordinary_set(object, key, value, receiver, &mut Ctx::new(context))
}

/// Whether nothing stands in the way of a new name: no property, own or of the usual prototype, and no map that takes no more.
fn is_free(object: &JsObject, key: &PropertyKey, context: &Context) -> bool {
    let usual = context.intrinsics().constructors().object().prototype();
    let own = object.borrow();
    matches!(key, PropertyKey::String(_))
        && own.extensible
        && own.prototype().is_some_and(|prototype| JsObject::equals(&prototype, &usual))
        && !own.properties().contains_key(key)
        && !usual.borrow().properties().contains_key(key)
}

/// Plain properties become slots; all else moves to the engine's table.
fn define_own_property(
    object: &JsObject,
    key: &PropertyKey,
    descriptor: PropertyDescriptor,
    context: &mut Ctx<'_>,
) -> JsResult<bool> {
    let known = with(object, |fields| fields.find(key)).flatten();
    let stays_plain = |absent: bool| {
        let flags = [descriptor.writable(), descriptor.enumerable(), descriptor.configurable()];
        !descriptor.is_accessor_descriptor() && flags.iter().all(|f| f.unwrap_or(!absent))
    };
    if let Some(index) = known {
        if stays_plain(false) {
            if let Some(value) = descriptor.value() {
                with(object, |fields| fields.slots[index].content = Content::Value(value.clone()));
            }
            return Ok(true);
        }
        move_to_table(object, index, context)?;
    } else if stays_plain(true)
        && !matches!(key, PropertyKey::Symbol(_))
        && object.is_extensible(context)?
        && ordinary_get_own_property(object, key, &mut Ctx::new(context))?.is_none()
    {
        let content = Content::Value(descriptor.value().cloned().unwrap_or_default());
        let slot = Slot { name: Name::Js(key.clone()), wire: (0, 0), content };
        with(object, |fields| fields.slots.push(slot));
        return Ok(true);
    }
    ordinary_define_own_property(object, key, descriptor, &mut Ctx::new(context))
}

fn move_to_table(object: &JsObject, index: usize, context: &mut Context) -> JsResult<()> {
    let Some(key) = with(object, |fields| fields.key(&fields.slots[index])) else { return Ok(()) };
    let content = value(object, &key, context)?.unwrap_or_default();
    with(object, |fields| fields.slots[index].content = Content::Gone);
    object.insert_property(key, plain(content));
    Ok(())
}

fn delete(object: &JsObject, key: &PropertyKey, context: &mut Ctx<'_>) -> JsResult<bool> {
    let deleted = with(object, |fields| {
        let index = fields.find(key)?;
        fields.slots[index].content = Content::Gone;
        Some(())
    });
    if deleted.flatten().is_some() {
        return Ok(true);
    }
    ordinary_delete(object, key, &mut Ctx::new(context))
}

fn own_property_keys(object: &JsObject, context: &mut Context) -> JsResult<Vec<PropertyKey>> {
    let slots = with(object, |fields| {
        let present = fields.slots.iter().filter(|s| !matches!(s.content, Content::Gone));
        present.map(|slot| fields.key(slot)).collect::<Vec<_>>()
    });
    let mut keys = slots.unwrap_or_default();
    keys.extend(ordinary_own_property_keys(object, context)?);
    Ok(keys)
}

/// Then nothing may be added, so the table takes all that is there.
fn prevent_extensions(object: &JsObject, context: &mut Context) -> JsResult<bool> {
    let count = with(object, |fields| fields.len()).unwrap_or_default();
    for index in 0..count {
        let gone = with(object, |fields| matches!(fields.slots[index].content, Content::Gone));
        if gone == Some(false) {
            move_to_table(object, index, context)?;
        }
    }
    ordinary_prevent_extensions(object, context)
}
