//! What is changed in the released crates: file, text, what stands there instead.

use super::Changed;

pub(super) const ALL: [Changed; 3] = [
    Changed { name: "boa_engine", version: "0.22.0", changes: &ENGINE },
    Changed { name: "boa_gc", version: "0.22.0", changes: &COLLECTOR },
    Changed { name: "boa_string", version: "0.22.0", changes: &STRINGS },
];

type Change = (&'static str, &'static str, &'static str);

const ENGINE: [Change; 33] = [
    // Names made public want documentation; this is not the place for it.
    (
        "src/lib.rs",
        "#![doc = include_str!(\"../ABOUT.md\")]",
        "#![allow(warnings)]\n#![doc = include_str!(\"../ABOUT.md\")]",
    ),
    ("src/object/mod.rs", "pub(crate) mod internal_methods;", "pub mod internal_methods;"),
    ("src/object/internal_methods/mod.rs", "pub(crate) ", "pub "),
    ("src/object/shape/mod.rs", "pub(crate) mod shared_shape;", "pub mod shared_shape;"),
    ("src/object/shape/shared_shape/mod.rs", "pub(crate) mod template;", "pub mod template;"),
    ("src/object/shape/shared_shape/mod.rs", "pub(crate) fn to_addr_usize", "pub fn to_addr_usize"),
    ("src/object/mod.rs", "    pub(crate) extensible: bool,", "    pub extensible: bool,"),
    ("src/object/property_map.rs", "    pub(crate) storage: ObjectStorage,", "    pub storage: ObjectStorage,"),
    ("src/object/shape/shared_shape/template.rs", "pub(crate) ", "pub "),
    (
        "src/vm/opcode/get/property.rs",
        "    let object = object.base_class(context)?;",
        "    let object = object.base_class(context).map_err(|_| {
        let name = &context.vm.frame().code_block().ic[usize::from(index)].name;
        let name = name.to_std_string_escaped();
        let text = format!(\"cannot get property \\\"{name}\\\" of {}\", object.display());
        crate::JsNativeError::typ().with_message(text)
    })?;",
    ),
    (
        "src/vm/opcode/get/property.rs",
        "    let object = base.base_class(context)?;\n    let key_value = key_value.to_property_key(context)?;",
        "    let found = base.base_class(context);
    let key_value = key_value.to_property_key(context)?;
    let object = found.map_err(|_| {
        let text = format!(\"cannot get property \\\"{key_value}\\\" of {}\", base.display());
        crate::JsNativeError::typ().with_message(text)
    })?;",
    ),
    ("src/vm/opcode/get/name.rs", "{name} is not defined", "\\\"{name}\\\" is not defined"),
    (
        "src/vm/opcode/set/property.rs",
        "let object = value_object.to_object(context)?;",
        "let object = value_object.to_object(context).map_err(|_| nothing_to_set(&value_object))?;",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "        let object = object.to_object(context)?;",
        "        let object = object.to_object(context).map_err(|_| nothing_to_set(&object))?;",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "\nfn ",
        "
fn nothing_to_set(value: &JsValue) -> crate::JsNativeError {
    let text = format!(\"property set on primitive {} type\", value.display());
    crate::JsNativeError::typ().with_message(text)
}

fn ",
    ),
    (
        "src/vm/opcode/set/name.rs",
        "\"cannot mutate an immutable binding '{}'\",\n                name.to_std_string_escaped()",
        "\"assignment to constant variable\"",
    ),
    ("src/builtins/uri/mod.rs", "\"trying to encode an invalid string\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid escape character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid hexadecimal digit found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid escaped character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"non-terminated escape character found\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"escape characters must be preceded with a % sign\"", MALFORMED_URI),
    ("src/builtins/uri/mod.rs", "\"invalid UTF-8 encoding found\"", MALFORMED_URI),
    // Arguments of native functions: nearly always few, and then not worth an allocation for each call.
    (
        "src/native_function/mod.rs",
        "    let args = context
        .vm
        .stack
        .calling_convention_pop_arguments(argument_count);
    let _func = context.vm.stack.pop();
    let this = context.vm.stack.pop();

    // We technically don't need this since native functions don't push any new frames to the
    // vm, but we'll eventually have to combine the native stack with the vm stack.
    context.check_runtime_limits()?;",
        "    const FEW: usize = 4;
    let (mut few, many);
    let args: &[JsValue] = if argument_count <= FEW {
        few = [const { JsValue::undefined() }; FEW];
        for place in few[..argument_count].iter_mut().rev() {
            *place = context.vm.stack.pop();
        }
        &few[..argument_count]
    } else {
        many = context.vm.stack.calling_convention_pop_arguments(argument_count);
        &many
    };
    let _func = context.vm.stack.pop();
    let this = context.vm.stack.pop();

    // We technically don't need this since native functions don't push any new frames to the
    // vm, but we'll eventually have to combine the native stack with the vm stack.
    context.check_runtime_limits()?;",
    ),
    (
        "src/native_function/mod.rs",
        "    let result = if constructor.is_some() {
        function.call(&JsValue::undefined(), &args, context)
    } else {
        function.call(&this, &args, context)
    }",
        "    let result = if constructor.is_some() {
        function.call(&JsValue::undefined(), args, context)
    } else {
        function.call(&this, args, context)
    }",
    ),
    // Properties of values, without descriptors on the way: what `ordinary_get` and `ordinary_set` come to where no object has ways of
    // its own. The first pass of a place takes these; its inline cache is filled by the second.
    (
        "src/object/internal_methods/mod.rs",
        "/// Abstract operation `OrdinaryGet`.\n",
        "/// The value that a name has in an ordinary object or in those it inherits from. `None` where it has none, or where code decides.
pub fn plain_value(object: &JsObject, key: &PropertyKey) -> Option<JsValue> {
    if matches!(key, PropertyKey::Index(_)) {
        return None;
    }
    let mut object = object.clone();
    loop {
        let methods = object.vtable();
        if methods.__get__ as usize != ordinary_get as *const () as usize {
            return None;
        }
        let inherits = methods.__get_own_property__ as usize == ordinary_get_own_property as *const () as usize
            && methods.__get_prototype_of__ as usize == ordinary_get_prototype_of as *const () as usize;
        // Strings have characters beside what they have as objects.
        if !inherits
            && methods.__get_own_property__ as usize != string::string_exotic_get_own_property as *const () as usize
        {
            return None;
        }
        let next = {
            let borrowed = object.borrow();
            if let Some(slot) = borrowed.properties.shape.lookup(key) {
                if slot.attributes.is_accessor_descriptor() {
                    return None;
                }
                return Some(borrowed.properties.storage[slot.index as usize].clone());
            }
            borrowed.properties.shape.prototype()
        };
        object = next.filter(|_| inherits)?;
    }
}

/// Replaces the value of an own property of an ordinary object; `false` where there is none, or where code decides.
pub fn replace_plain_value(object: &JsObject, key: &PropertyKey, value: &JsValue) -> bool {
    let methods = object.vtable();
    if matches!(key, PropertyKey::Index(_))
        || methods.__set__ as usize != ordinary_set as *const () as usize
        || methods.__get_own_property__ as usize != ordinary_get_own_property as *const () as usize
        || methods.__define_own_property__ as usize != ordinary_define_own_property as *const () as usize
    {
        return false;
    }
    let mut borrowed = object.borrow_mut();
    match borrowed.properties.shape.lookup(key) {
        Some(slot)
            if !slot.attributes.is_accessor_descriptor() && slot.attributes.contains(SlotAttributes::WRITABLE) =>
        {
            borrowed.properties.storage[slot.index as usize] = value.clone();
            true
        }
        _ => false,
    }
}

/// Abstract operation `OrdinaryGet`.\n",
    ),
    (
        "src/vm/opcode/get/property.rs",
        "    let key: PropertyKey = ic.name.clone().into();

    let context = &mut",
        "    let key: PropertyKey = ic.name.clone().into();

    if !ic.missed.replace(true)
        && let Some(value) = crate::object::internal_methods::plain_value(&object, &key)
    {
        context.vm.set_register(dst.into(), value);
        return Ok(());
    }

    let context = &mut",
    ),
    (
        "src/vm/opcode/get/name.rs",
        "            let key: PropertyKey = ic.name.clone().into();

            let context = &mut",
        "            let key: PropertyKey = ic.name.clone().into();

            if !ic.missed.replace(true)
                && let Some(value) = crate::object::internal_methods::plain_value(&object, &key)
            {
                context.vm.set_register(dst.into(), value);
                return Ok(());
            }

            let context = &mut",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "    let name: PropertyKey = ic.name.clone().into();

    let context = &mut",
        "    let name: PropertyKey = ic.name.clone().into();

    if !ic.missed.replace(true)
        && receiver.as_object().is_some_and(|receiver| JsObject::equals(&receiver, &object))
        && crate::object::internal_methods::replace_plain_value(&object, &name, &value)
    {
        return Ok(());
    }

    let context = &mut",
    ),
    (
        "src/vm/opcode/set/property.rs",
        "    builtins::function::set_function_name,\n    object::{",
        "    builtins::function::set_function_name,\n    object::{JsObject, ",
    ),
    // Inline caches: every request begins with empty ones, and most places are passed once. So a place is remembered from its second
    // miss on.
    (
        "src/vm/inline_cache/mod.rs",
        "    pub(crate) fn set(&self, shape: &Shape, slot: Slot) {
        if self.megamorphic.get() {
            return;
        }
",
        "    pub(crate) fn set(&self, shape: &Shape, slot: Slot) {
        if self.megamorphic.get() || !self.missed.replace(true) {
            return;
        }
",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "    pub(crate) megamorphic: Cell<bool>,
}",
        "    pub(crate) megamorphic: Cell<bool>,

    /// Whether this access site missed before.
    #[unsafe_ignore_trace]
    pub(crate) missed: Cell<bool>,
}",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "            megamorphic: Cell::new(false),",
        "            megamorphic: Cell::new(false),\n            missed: Cell::new(false),",
    ),
];

const MALFORMED_URI: &str = "\"malformed URI\"";

/// What is below the mark belongs to the function's snapshot and is never freed in a request. So references to it need no counting, and
/// counting would dirty the pages that they lie in.
const COLLECTOR: [Change; 7] = [
    (
        "src/lib.rs",
        "extern crate self as boa_gc;",
        "extern crate self as boa_gc;

/// What lies below this address is never collected, and references to it are not counted.
pub static FROZEN_BELOW: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);",
    ),
    (
        "src/internals/gc_header.rs",
        "impl GcHeader {
    /// Creates a new",
        "impl GcHeader {
    /// Whether this lies below the mark.
    #[inline]
    fn is_frozen(&self) -> bool {
        (std::ptr::from_ref(self) as usize) < crate::FROZEN_BELOW.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Creates a new",
    ),
    (
        "src/internals/gc_header.rs",
        "    pub(crate) fn inc_ref_count(&self) {",
        "    #[inline]
    pub(crate) fn inc_ref_count(&self) {
        if self.is_frozen() {
            return;
        }",
    ),
    (
        "src/internals/gc_header.rs",
        "    pub(crate) fn dec_ref_count(&self) {",
        "    #[inline]
    pub(crate) fn dec_ref_count(&self) {
        if self.is_frozen() {
            return;
        }",
    ),
    (
        "src/internals/gc_header.rs",
        "        self.non_root_count() < self.ref_count()",
        "        self.is_frozen() || self.non_root_count() < self.ref_count()",
    ),
    // The lists keep their room: the first object of each request would move them.
    (
        "src/lib.rs",
        "        gc.strongs.shrink_to(gc.strongs.len() >> 2);
        gc.weaks.shrink_to(gc.weaks.len() >> 2);
        gc.weak_maps.shrink_to(gc.weak_maps.len() >> 2);
",
        "",
    ),
    (
        "src/lib.rs",
        "/// Forcefully runs a garbage collection",
        "/// Makes room in the lists for so many more values.
pub fn reserve(strong: usize, weak: usize) {
    BOA_GC.with(|current| {
        let mut gc = current.borrow_mut();
        gc.strongs.reserve(strong);
        gc.weaks.reserve(weak);
    });
}

/// Forcefully runs a garbage collection",
    ),
];

/// As [`COLLECTOR`].
const STRINGS: [Change; 5] = [
    (
        "src/lib.rs",
        "impl Clone for JsString {",
        "/// Texts that lie below this address are never freed, and references to them are not counted.
pub static FROZEN_BELOW: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

impl JsString {
    #[inline]
    fn is_frozen(&self) -> bool {
        self.ptr.addr().get() < FROZEN_BELOW.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Clone for JsString {",
    ),
    (
        "src/lib.rs",
        "        (self.vtable().clone)(self.ptr)",
        "        if self.is_frozen() {
            return Self { ptr: self.ptr };
        }
        (self.vtable().clone)(self.ptr)",
    ),
    (
        "src/lib.rs",
        "        (self.vtable().drop)(self.ptr);",
        "        if !self.is_frozen() {
            (self.vtable().drop)(self.ptr);
        }",
    ),
    // Whether a text that was made is one of those that the engine knows: finding out costs more than keeping it.
    ("src/lib.rs", "        StaticJsStrings::get_string(&string.as_str()).unwrap_or(string)", "        string"),
    ("src/lib.rs", "    fn from_slice_skip_interning(", "    pub fn from_slice_skip_interning("),
];
