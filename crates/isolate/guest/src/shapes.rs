//! Shapes of the objects in events, made at boot: an object then is one allocation and its values.

use boa_engine::{
    Context, JsObject, JsResult, JsString, JsValue, NativeFunction,
    builtins::object::OrdinaryObject,
    js_string,
    object::{
        FunctionObjectBuilder,
        builtins::JsArray,
        shape::{RootShape, Shape, shared_shape::template::ObjectTemplate},
    },
    property::{Attribute, PropertyDescriptor, PropertyKey},
};

use crate::{
    event::raw_query_string,
    names::Names,
    text::equals,
    wire_event::{Entry, Span},
};

/// The shapes. Each holds its names in the order in which values are given.
pub(crate) struct Shapes {
    pub(crate) names: Names,
    /// `version`, `context`, `viewer`, `request`.
    pub(crate) request_event: ObjectTemplate,
    /// The same and `response`.
    pub(crate) response_event: ObjectTemplate,
    /// `distributionDomainName`, `distributionId`, `eventType`, `requestId`.
    pub(crate) context: ObjectTemplate,
    /// `ip`.
    pub(crate) viewer: ObjectTemplate,
    /// `method`, `uri`, `querystring`, `headers`, `cookies`; `rawQueryString` is its prototype's, out of sight of `Object.keys`.
    pub(crate) request: ObjectTemplate,
    /// `statusCode`, `statusDescription`, `headers`, `cookies`.
    pub(crate) response: ObjectTemplate,
    /// Maps of fields begin from a root of their own: what the engine remembers of other empty objects never holds for them.
    pub(crate) fields: ObjectTemplate,
    value: ObjectTemplate,
    value_multi: ObjectTemplate,
    value_attributes: ObjectTemplate,
    value_attributes_multi: ObjectTemplate,
}

impl Shapes {
    pub(crate) fn new(context: &mut Context) -> Self {
        let n = Names::new();
        let object = context.intrinsics().constructors().object().prototype();
        let request_prototype = JsObject::with_object_proto(context.intrinsics());
        let raw = FunctionObjectBuilder::new(context.realm(), NativeFunction::from_fn_ptr(raw_query_string))
            .name(js_string!("rawQueryString"))
            .build();
        request_prototype.insert_property(
            js_string!("rawQueryString"),
            PropertyDescriptor::builder().value(raw).writable(true).enumerable(false).configurable(true),
        );
        let root = context.root_shape().shape();
        let shape = |prototype: &JsObject, keys: &[&PropertyKey]| {
            let mut template = ObjectTemplate::with_prototype(root, prototype.clone());
            for key in keys {
                template.property((*key).clone(), Attribute::all());
            }
            template
        };
        let request_event = [&n.version, &n.context, &n.viewer, &n.request];
        Self {
            request_event: shape(&object, &request_event),
            response_event: shape(&object, &[&request_event[..], &[&n.response]].concat()),
            context: shape(&object, &[&n.distribution_domain_name, &n.distribution_id, &n.event_type, &n.request_id]),
            viewer: shape(&object, &[&n.ip]),
            request: shape(&request_prototype, &[&n.method, &n.uri, &n.querystring, &n.headers, &n.cookies]),
            response: shape(&object, &[&n.status_code, &n.status_description, &n.headers, &n.cookies]),
            fields: ObjectTemplate::with_prototype(RootShape::default().shape(), object.clone()),
            value: shape(&object, &[&n.value]),
            value_multi: shape(&object, &[&n.value, &n.multi_value]),
            value_attributes: shape(&object, &[&n.value, &n.attributes]),
            value_attributes_multi: shape(&object, &[&n.value, &n.attributes, &n.multi_value]),
            names: n,
        }
    }

    /// Whether this is a request of an event whose members nobody added to or took away.
    pub(crate) fn is_request(&self, object: &JsObject) -> bool {
        object.borrow().shape().to_addr_usize() == self.request.shape().to_addr_usize()
    }

    /// Where a member of such a request is stored; `None` for objects of all other shapes.
    pub(crate) fn place_in_request(&self, shape: &Shape, key: &PropertyKey) -> Option<usize> {
        let n = &self.names;
        let members = [&n.method, &n.uri, &n.querystring, &n.headers, &n.cookies];
        let known = shape.to_addr_usize() == self.request.shape().to_addr_usize();
        // The caller names members by these very keys.
        if known { members.into_iter().position(|member| std::ptr::eq(member, key)) } else { None }
    }

    /// The text in an object that has `value` and nothing else.
    pub(crate) fn plain_value(&self, object: &JsObject) -> Option<JsString> {
        let object = object.borrow();
        let plain = object.shape().to_addr_usize() == self.value.shape().to_addr_usize();
        if plain { object.properties().storage.first()?.as_string() } else { None }
    }

    /// Whether `value` is the object that [`Shapes::entry`] made of this one value, or one that cannot be told from it. Runs no code of
    /// the function.
    pub(crate) fn is_entry(&self, value: &JsValue, bytes: &[u8], entry: &Entry) -> bool {
        let Some(object) = value.as_object() else { return false };
        let object = object.borrow();
        let template = if entry.attributes.is_some() { &self.value_attributes } else { &self.value };
        let said = &object.properties().storage;
        let is = |n: usize, span: Span| said[n].as_string().is_some_and(|text| equals(&text, span.of(bytes)));
        object.shape().to_addr_usize() == template.shape().to_addr_usize()
            && is(0, entry.value)
            && entry.attributes.is_none_or(|attributes| is(1, attributes))
    }

    /// `{value}`, for cookies of responses `{value, attributes}`, for several values with `multiValue` (section 3.1).
    pub(crate) fn entry(&self, bytes: &[u8], values: &[Entry], context: &mut Context) -> JsResult<JsObject> {
        let Some(first) = values.first() else { return Ok(JsObject::with_object_proto(context.intrinsics())) };
        let mut storage = Vec::with_capacity(3);
        storage.push(text(bytes, first.value));
        storage.extend(first.attributes.map(|a| text(bytes, a)));
        if values.len() == 1 {
            let template = if first.attributes.is_some() { &self.value_attributes } else { &self.value };
            return Ok(template.create(OrdinaryObject, storage));
        }
        let mut all: Vec<JsValue> = Vec::with_capacity(values.len());
        for one in values {
            all.push(self.entry(bytes, std::slice::from_ref(one), context)?.into());
        }
        storage.push(JsArray::from_iter(all, context).into());
        let template = if first.attributes.is_some() { &self.value_attributes_multi } else { &self.value_multi };
        Ok(template.create(OrdinaryObject, storage))
    }
}

fn text(bytes: &[u8], span: Span) -> JsValue {
    span.js(bytes).into()
}
