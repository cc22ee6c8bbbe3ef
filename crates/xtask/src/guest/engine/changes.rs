//! What is changed in the released crates: file, text, what stands there instead.

use super::Changed;

pub(super) const ALL: [Changed; 3] = [
    Changed { name: "boa_engine", version: "0.22.0", changes: ENGINE, files: ENGINE_FILES },
    Changed { name: "boa_gc", version: "0.22.0", changes: COLLECTOR, files: &[] },
    Changed { name: "boa_string", version: "0.22.0", changes: STRINGS, files: &[] },
];

type Change = (&'static str, &'static str, &'static str);

const ENGINE_FILES: &[(&str, &str)] = &[("src/vm/short.rs", include_str!("files/short.rs"))];

const ENGINE: &[Change] = &[
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
    // Calls of native functions: their arguments are nearly always few, and then not worth an allocation; their realm is nearly always
    // the caller's.
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
    context.check_runtime_limits()?;
    let this_function_object = obj.clone();

    let NativeFunctionObject {
        f: function,
        name,
        constructor,
        realm,
    } = obj
        .downcast_ref::<NativeFunctionObject>()
        .expect(\"the object should be a native function object\")
        .clone();
",
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

    context.check_native_limit()?;
    let this_function_object = obj.clone();

    let (function, name, is_constructor, mut other_realm) = {
        let native = obj
            .downcast_ref::<NativeFunctionObject>()
            .expect(\"the object should be a native function object\");
        let other_realm = native.realm.as_ref().filter(|realm| *realm != context.realm());
        (native.f.clone(), native.name.clone(), native.constructor.is_some(), other_realm.cloned())
    };
",
    ),
    (
        "src/native_function/mod.rs",
        "    let mut realm = realm.unwrap_or_else(|| context.realm().clone());

    context.swap_realm(&mut realm);
    context.vm.native_active_function = Some(this_function_object);

    let result = if constructor.is_some() {
        function.call(&JsValue::undefined(), &args, context)
    } else {
        function.call(&this, &args, context)
    }
    .map_err(|err| err.inject_realm(context.realm().clone()));

    context.vm.native_active_function = None;
    context.swap_realm(&mut realm);
",
        "    if let Some(realm) = &mut other_realm {
        context.swap_realm(realm);
    }
    context.vm.native_active_function = Some(this_function_object);

    let result = if is_constructor {
        function.call(&JsValue::undefined(), args, context)
    } else {
        function.call(&this, args, context)
    }
    .map_err(|err| err.inject_realm(context.realm().clone()));

    context.vm.native_active_function = None;
    if let Some(realm) = &mut other_realm {
        context.swap_realm(realm);
    }
",
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
    let mut holder = object;
    loop {
        let methods = holder.vtable();
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
        // SAFETY: nothing runs while it is looked at.
        let seen = unsafe { holder.peek() }?;
        if let Some(slot) = seen.properties.shape.lookup(key) {
            if slot.attributes.is_accessor_descriptor() {
                return None;
            }
            return Some(seen.properties.storage[slot.index as usize].clone());
        }
        // SAFETY: as above.
        holder = unsafe { seen.properties.shape.peek_prototype() }.filter(|_| inherits)?;
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

/// Adds a property to an ordinary object that has none of this name. For `inherited`, those it inherits from must have none either, and
/// be ordinary. `false` where that is not so.
pub fn add_plain_value(object: &JsObject, key: &PropertyKey, value: &JsValue, inherited: bool) -> bool {
    let is_plain = |object: &JsObject| {
        let methods = object.vtable();
        methods.__set__ as usize == ordinary_set as *const () as usize
            && methods.__get_own_property__ as usize == ordinary_get_own_property as *const () as usize
            && methods.__get_prototype_of__ as usize == ordinary_get_prototype_of as *const () as usize
    };
    let methods = object.vtable();
    if matches!(key, PropertyKey::Index(_))
        || !is_plain(object)
        || methods.__define_own_property__ as usize != ordinary_define_own_property as *const () as usize
    {
        return false;
    }
    {
        // SAFETY (all): nothing runs while it is looked at.
        let Some(own) = (unsafe { object.peek() }) else { return false };
        if !own.extensible || own.properties.shape.lookup(key).is_some() {
            return false;
        }
        let mut next = unsafe { own.properties.shape.peek_prototype() }.filter(|_| inherited);
        while let Some(holder) = next {
            let seen = unsafe { holder.peek() }.filter(|_| is_plain(holder));
            let Some(seen) = seen.filter(|seen| seen.properties.shape.lookup(key).is_none()) else { return false };
            next = unsafe { seen.properties.shape.peek_prototype() };
        }
    }
    object.borrow_mut().properties.add_plain(key, value);
    true
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
    // The short ways of the interpreter (`files/short.rs`).
    ("src/vm/mod.rs", "mod runtime_limits;\n\npub(crate)", "mod runtime_limits;\nmod short;\n\npub(crate)"),
    (
        "src/vm/mod.rs",
        "    pub(crate) fn run(&mut self) -> CompletionRecord {
        while let Some(byte) = self
            .vm
            .frame()
            .code_block
            .bytecode
            .bytes
            .get(self.vm.frame().pc as usize)
        {
            let opcode = Opcode::decode(*byte);

            match self.execute_one(
                |context, opcode| {
                    let frame = context.vm.frame();
                    let pc = frame.pc as usize;

                    OPCODE_HANDLERS[opcode as usize](context, pc)
                },
                opcode,
            ) {
                ControlFlow::Continue(()) => {}
                ControlFlow::Break(value) => return value,
            }
        }

        CompletionRecord::Throw(JsError::from_native(JsNativeError::error()))
    }
",
        "",
    ),
    (
        "src/vm/mod.rs",
        "        self.stack.truncate(frame.frame_pointer());",
        "        short::truncate(&mut self.stack, frame.frame_pointer());",
    ),
    (
        "src/value/inner/nan_boxed.rs",
        "pub(crate) struct NanBoxedValue {
    #[cfg(target_pointer_width = \"32\")]
    half: u32,
    ptr: *mut (),
}",
        "// The order makes the bytes of a value those of its bits (`vm/short.rs`).
#[repr(C, align(8))]
pub(crate) struct NanBoxedValue {
    ptr: *mut (),
    #[cfg(target_pointer_width = \"32\")]
    half: u32,
}",
    ),
    (
        "src/value/inner/nan_boxed.rs",
        "    /// Converts the value to a boolean without cloning pointer types.",
        "    /// The object, not counted.
    #[inline(always)]
    pub(crate) fn peek_object(&self) -> Option<ManuallyDrop<JsObject>> {
        // SAFETY: the tag says what it is.
        self.is_object().then(|| unsafe { self.as_object_unchecked() })
    }

    /// The text, not counted.
    #[inline(always)]
    pub(crate) fn peek_string(&self) -> Option<ManuallyDrop<JsString>> {
        // SAFETY: the tag says what it is.
        self.is_string().then(|| unsafe { self.as_string_unchecked() })
    }

    /// Converts the value to a boolean without cloning pointer types.",
    ),
    (
        "src/value/mod.rs",
        "impl JsValue {
    /// Create a new [`JsValue`] from an inner value.",
        "impl JsValue {
    /// The object, not counted: no more than this value lives.
    #[inline(always)]
    pub(crate) fn peek_object(&self) -> Option<std::mem::ManuallyDrop<JsObject>> {
        self.0.peek_object()
    }

    /// The text, not counted: no more than this value lives.
    #[inline(always)]
    pub(crate) fn peek_string(&self) -> Option<std::mem::ManuallyDrop<JsString>> {
        self.0.peek_string()
    }

    /// Create a new [`JsValue`] from an inner value.",
    ),
    (
        "src/object/jsobject.rs",
        "    pub(crate) fn vtable(&self) -> &'static InternalObjectMethods {",
        "    /// The object, without a note that somebody reads it; `None` while somebody writes to it.
    ///
    /// # Safety
    /// Nobody may begin to write to it while the reference is used.
    #[inline(always)]
    pub(crate) unsafe fn peek(&self) -> Option<&Object<T>> {
        // SAFETY: the caller's promise is the same.
        unsafe { self.inner.object.peek() }
    }

    pub(crate) fn vtable(&self) -> &'static InternalObjectMethods {",
    ),
    (
        "src/native_function/mod.rs",
        "// SAFETY: this traces all fields that need to be traced by the GC.
unsafe impl Trace for NativeFunctionObject {",
        "impl NativeFunctionObject {
    /// The function behind an object, where it is a plain pointer and no constructor.
    pub(crate) fn peek_pointer(object: &JsObject) -> Option<NativeFunctionPointer> {
        if !object.is::<Self>() {
            return None;
        }
        // SAFETY: the object is of that type, and nothing runs while it is looked at.
        let native = unsafe { &*std::ptr::from_ref(object.peek()?).cast::<crate::object::Object<Self>>() };
        let native = native.data();
        match native.f.inner {
            Inner::PointerFn(pointer) if native.constructor.is_none() => Some(pointer),
            _ => None,
        }
    }
}

// SAFETY: this traces all fields that need to be traced by the GC.
unsafe impl Trace for NativeFunctionObject {",
    ),
    (
        "src/context/intrinsics.rs",
        "    /// Return the prototype of the constructor object.",
        "    /// The prototype of the constructor object, not counted.
    #[inline(always)]
    pub(crate) fn prototype_ref(&self) -> &JsObject {
        &self.prototype
    }

    /// Return the prototype of the constructor object.",
    ),
    // What a cache says of a property that is inherited holds for as long as the prototype keeps its shape, too. A shape of one object
    // alone stays the same when the object gets a property of its own, and so says nothing of inherited ones.
    (
        "src/vm/inline_cache/mod.rs",
        "    #[unsafe_ignore_trace]
    pub(crate) slot: Slot,
}
",
        "    #[unsafe_ignore_trace]
    pub(crate) slot: Slot,
    /// The shape of the prototype that has the property, where it is inherited.
    pub(crate) holder: Option<Shape>,
}

impl CacheEntry {
    /// Whether the property is still there, in an object of the entry's shape.
    #[inline(always)]
    fn holds(&self, shape: &Shape) -> bool {
        let Some(holder) = &self.holder else { return true };
        // SAFETY: nothing runs while it is looked at.
        let now = unsafe { shape.peek_prototype().and_then(|prototype| prototype.peek()) };
        now.is_some_and(|now| now.shape().to_addr_usize() == holder.to_addr_usize())
    }
}
",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "        let mut entries = self.entries.borrow_mut();

        // Add a new entry",
        "        let mut holder = None;
        if slot.attributes.contains(SlotAttributes::PROTOTYPE) {
            let prototype = if shape.is_shared() { shape.prototype() } else { None };
            let Some(prototype) = prototype else { return };
            holder = Some(prototype.borrow().shape().clone());
        }
        let mut entries = self.entries.borrow_mut();

        // Add a new entry",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "                shape: shape.into(),
                slot,
",
        "                shape: shape.into(),
                slot,
                holder,
",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "                if upgraded.to_addr_usize() == shape_addr {",
        "                if upgraded.to_addr_usize() == shape_addr && !entries[i].holds(shape) {
                    entries.swap_remove(i);
                } else if upgraded.to_addr_usize() == shape_addr {",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "                    break;
                }
                i += 1;",
        "                    break;
                } else {
                    i += 1;
                }",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "    object::shape::{Shape, WeakShape, slot::Slot},",
        "    object::shape::{
        Shape, WeakShape,
        slot::{Slot, SlotAttributes},
    },",
    ),
    (
        "src/object/shape/unique_shape.rs",
        "            // TODO: invalidate the pointer.
            return ChangeTransition {
                shape: self.clone().into(),",
        "            let property_table = std::mem::take(&mut *property_table);
            let prototype = self.inner.prototype.borrow_mut().take();
            return ChangeTransition {
                shape: Self::new(prototype, property_table).into(),",
    ),
    (
        "src/vm/inline_cache/mod.rs",
        "    /// Returns the cached `(Shape, Slot)` if",
        "    /// The slot of a shape that is in the cache.
    #[inline(always)]
    pub(crate) fn find(&self, shape: &Shape) -> Option<Slot> {
        // SAFETY: nothing runs while it is looked at.
        let entries = unsafe { self.entries.peek() }?;
        entries.iter().find(|entry| entry.shape.is(shape) && entry.holds(shape)).map(|entry| entry.slot)
    }

    /// Returns the cached `(Shape, Slot)` if",
    ),
    (
        "src/object/shape/mod.rs",
        "impl WeakShape {
",
        "impl WeakShape {
    /// Whether this is the shape, alive.
    #[inline(always)]
    pub(crate) fn is(&self, shape: &Shape) -> bool {
        match (self, &shape.inner) {
            (Self::Unique(weak), Inner::Unique(shape)) => weak.is(shape),
            (Self::Shared(weak), Inner::Shared(shape)) => weak.is(shape),
            _ => false,
        }
    }

",
    ),
    (
        "src/object/shape/shared_shape/mod.rs",
        "    pub(crate) fn upgrade(&self) -> Option<SharedShape> {",
        "    #[inline(always)]
    pub(crate) fn is(&self, shape: &SharedShape) -> bool {
        self.inner.is(&shape.inner)
    }

    pub(crate) fn upgrade(&self) -> Option<SharedShape> {",
    ),
    (
        "src/object/shape/unique_shape.rs",
        "    pub(crate) fn upgrade(&self) -> Option<UniqueShape> {",
        "    #[inline(always)]
    pub(crate) fn is(&self, shape: &UniqueShape) -> bool {
        self.inner.is(&shape.inner)
    }

    pub(crate) fn upgrade(&self) -> Option<UniqueShape> {",
    ),
    (
        "src/object/property_map.rs",
        "    /// Remove the property with the given key from the [`PropertyMap`].",
        "    /// Adds a property that can be written, listed and changed, under a name that is not there.
    pub(crate) fn add_plain(&mut self, key: &PropertyKey, value: &JsValue) {
        let attributes = SlotAttributes::WRITABLE | SlotAttributes::ENUMERABLE | SlotAttributes::CONFIGURABLE;
        let key = TransitionKey { property_key: key.clone(), attributes };
        self.shape = self.shape.insert_property_transition(key);
        self.storage.push(value.clone());
    }

    /// Remove the property with the given key from the [`PropertyMap`].",
    ),
    (
        "src/object/shape/mod.rs",
        "    /// Lookup a property in the shape",
        "    /// The prototype, not counted.
    ///
    /// # Safety
    /// Nobody may change it while the reference is used.
    pub(crate) unsafe fn peek_prototype(&self) -> Option<&super::JsObject> {
        match &self.inner {
            Inner::Shared(shape) => shape.prototype_ref(),
            // SAFETY: the caller's promise is the same.
            Inner::Unique(shape) => unsafe { shape.peek_prototype() },
        }
    }

    /// Lookup a property in the shape",
    ),
    (
        "src/object/shape/shared_shape/mod.rs",
        "    /// Check if the shape has the given prototype.",
        "    pub(crate) fn prototype_ref(&self) -> Option<&JsObject> {
        self.inner.prototype.as_ref()
    }

    /// Check if the shape has the given prototype.",
    ),
    (
        "src/object/shape/unique_shape.rs",
        "    pub(crate) fn prototype(&self) -> JsPrototype {",
        "    pub(crate) unsafe fn peek_prototype(&self) -> Option<&crate::JsObject> {
        // SAFETY: the caller's promise is the same.
        unsafe { self.inner.prototype.peek() }?.as_ref()
    }

    pub(crate) fn prototype(&self) -> JsPrototype {",
    ),
    // As with cells: looking a name up leaves no note in the table, whose page it would dirty.
    (
        "src/object/shape/unique_shape.rs",
        "    pub(crate) fn lookup(&self, key: &PropertyKey) -> Option<Slot> {
        let property_table = self.property_table().borrow();",
        "    pub(crate) fn lookup(&self, key: &PropertyKey) -> Option<Slot> {
        // SAFETY: comparing keys runs nothing that changes the table.
        let property_table = unsafe { self.property_table().try_borrow_unguarded() }.ok()?;",
    ),
    (
        "src/object/shape/shared_shape/mod.rs",
        "        let property_table_inner = self.property_table().inner().borrow();
        // Check if we are",
        "        // SAFETY: comparing keys runs nothing that changes the table.
        let property_table_inner = unsafe { self.property_table().inner().try_borrow_unguarded() }.ok()?;
        // Check if we are",
    ),
    // Sorting an array without holes reads and writes its elements at once.
    (
        "src/builtins/array/mod.rs",
        "        let mut items = Vec::with_capacity(len as usize);

        // 2. Let k be 0.
        // 3. Repeat, while k < len,
        for i in 0..len {",
        "        let mut items = Vec::with_capacity(len as usize);

        let dense = obj.is_array().then(|| obj.borrow().properties().to_dense_indexed_properties()).flatten();
        if let Some(dense) = dense.filter(|dense| dense.len() as u64 == len) {
            items.extend(dense);
        }

        // 2. Let k be 0.
        // 3. Repeat, while k < len,
        for i in items.len() as u64..len {",
    ),
    (
        "src/builtins/array/mod.rs",
        "            obj.set(j, item, true, context)?;

            // b. Set j to j + 1.
        }

        // 9. NOTE: The call to SortIndexedProperties in step 5 uses skip-holes.",
        "            let stored = obj.is_array() && {
                let mut obj = obj.borrow_mut();
                obj.extensible && obj.properties_mut().set_dense_property(j as u32, &item)
            };
            if !stored {
                obj.set(j, item, true, context)?;
            }

            // b. Set j to j + 1.
        }

        // 9. NOTE: The call to SortIndexedProperties in step 5 uses skip-holes.",
    ),
    // A part is compared where it lies.
    (
        "src/builtins/string/mod.rs",
        "                let candidate = string.get_expect(i..i + search_len);

                // b. If candidate is the same sequence of code units as searchStr, return 𝔽(i).
                if candidate == search_str {
                    return Ok(i.into());
                }",
        "                let candidate = string.as_str().get(i..i + search_len);

                // b. If candidate is the same sequence of code units as searchStr, return 𝔽(i).
                if candidate == Some(search_str.as_str()) {
                    return Ok(i.into());
                }",
    ),
    // What was pushed for a call that is not to be goes when the exception is caught, by the function or by a native one between; else
    // each one would leave it on the stack, and the next call would take it for its arguments.
    (
        "src/vm/mod.rs",
        "        self.frame_mut()
            .environments
            .truncate(environment_sp as usize);

        true",
        "        self.frame_mut()
            .environments
            .truncate(environment_sp as usize);

        let frame = self.frame();
        let registers_end = (frame.rp + frame.code_block().register_count) as usize;
        self.stack.stack.truncate(registers_end);

        true",
    ),
    (
        "src/vm/mod.rs",
        "            if exit_early {
                return ControlFlow::Break",
        "            if exit_early {
                self.vm.frame_mut().environments.truncate(env_fp as usize);
                let frame = self.vm.frames.last().expect(\"frame must exist\");
                self.vm.stack.truncate_to_frame(frame);
                return ControlFlow::Break",
    ),
    (
        "src/vm/mod.rs",
        "    /// Truncate the stack to the given frame.",
        "    /// How many values are on the stack.
    pub(crate) fn height(&self) -> usize {
        self.stack.len()
    }

    /// Drops what was pushed since the stack had this height.
    #[cold]
    pub(crate) fn truncate_to_height(&mut self, height: usize) {
        self.stack.truncate(height);
    }

    /// Truncate the stack to the given frame.",
    ),
    (
        "src/object/operations.rs",
        "        context.vm.stack.push(this.clone()); // this",
        "        let height = context.vm.stack.height();
        context.vm.stack.push(this.clone()); // this",
    ),
    (
        "src/object/operations.rs",
        "        if self.__call__(argument_count).resolve(context)? {",
        "        let called = self.__call__(argument_count).resolve(context);
        if called.inspect_err(|_| context.vm.stack.truncate_to_height(height))? {",
    ),
    (
        "src/object/operations.rs",
        "        context.vm.stack.push(JsValue::undefined());
        context.vm.stack.push(self.clone()); // func",
        "        let height = context.vm.stack.height();
        context.vm.stack.push(JsValue::undefined());
        context.vm.stack.push(self.clone()); // func",
    ),
    (
        "src/object/operations.rs",
        "        if self.__construct__(argument_count).resolve(context)? {",
        "        let constructed = self.__construct__(argument_count).resolve(context);
        if constructed.inspect_err(|_| context.vm.stack.truncate_to_height(height))? {",
    ),
    // Calls that go too deep are the function's to catch, as any other error.
    (
        "src/vm/mod.rs",
        "return Err(RuntimeLimitError::Recursion.into());",
        "return Err(Self::too_deep());",
    ),
    (
        "src/vm/mod.rs",
        "return Err(RuntimeLimitError::StackSize.into());",
        "return Err(Self::too_deep());",
    ),
    (
        "src/vm/mod.rs",
        "    /// Checks if we haven't exceeded the defined runtime limits.",
        "    #[cold]
    #[inline(never)]
    fn too_deep() -> JsError {
        JsNativeError::range().with_message(\"Maximum call stack size exceeded\").into()
    }

    /// Checks that a native function is not called too deep. It pushes no frame, and the engine's own (a promise's functions, say) must not
    /// fail where the language says that they cannot: so they may be called from the deepest frame, and a little deeper.
    pub(crate) fn check_native_limit(&self) -> JsResult<()> {
        const SLACK: usize = 16;
        let depth = self.vm.frames.len() + self.vm.host_call_depth;
        if depth > self.vm.runtime_limits.recursion_limit() + SLACK {
            return Err(Self::too_deep());
        }
        Ok(())
    }

    /// Checks if we haven't exceeded the defined runtime limits.",
    ),
    (
        "src/native_function/mod.rs",
        "    // We technically don't need this since native functions don't push any new frames to the
    // vm, but we'll eventually have to combine the native stack with the vm stack.
    context.check_runtime_limits()?;",
        "    context.check_native_limit()?;",
    ),
    // A generator that goes on pushes a frame as any call does.
    (
        "src/builtins/generator/mod.rs",
        "        // 1. Let state be ? GeneratorValidate(generator, generatorBrand).",
        "        context.check_runtime_limits()?;
        // 1. Let state be ? GeneratorValidate(generator, generatorBrand).",
    ),
    (
        "src/builtins/async_generator/mod.rs",
        "        // 1. Let generator be the this value.",
        "        context.check_runtime_limits()?;
        // 1. Let generator be the this value.",
    ),
    // A proxy has the prototype that its target or its handler says, so its own shape has none. With the shape of `{}` it would be taken
    // for one by the inline caches; of this shape nothing is ever found, and so nothing cached.
    (
        "src/builtins/proxy/mod.rs",
        "            context.intrinsics().constructors().object().prototype(),
            Self::new(target.clone(), handler.clone()),",
        "            None::<JsObject>,
            Self::new(target.clone(), handler.clone()),",
    ),
    // An object that is converted within its own conversion is no cycle yet: how deep that goes is limited as calls are, also where all
    // functions on the way are native. A conversion counts as two, as a call and what it calls: nested arrays take that much stack. An array that is joined within its own joining is empty there, as in other engines.
    (
        "src/object/jsobject.rs",
        "        // Diverge from the spec here to make sure we aren't going to overflow the stack by converting
        // a recursive structure
        // We can follow v8 & SpiderMonkey's lead and return a default value for the hint in this situation
        // (see https://repl.it/repls/IvoryCircularCertification#index.js)
        let recursion_limiter = RecursionLimiter::new(self.as_ref());
        if recursion_limiter.live {
            // we're in a recursive object, bail
            return Ok(match hint {
                PreferredType::Number => JsValue::new(0),
                PreferredType::String => JsValue::new(js_string!()),
                PreferredType::Default => unreachable!(\"checked type hint in step 2\"),
            });
        }
",
        "        context.check_runtime_limits()?;
",
    ),
    (
        "src/object/jsobject.rs",
        "                let result = method.call(&self.clone().into(), &[], context)?;

                // ii. If Type(result) is not Object, return result.",
        "                context.vm.host_call_depth += 2;
                let result = method.call(&self.clone().into(), &[], context);
                context.vm.host_call_depth -= 2;
                let result = result?;

                // ii. If Type(result) is not Object, return result.",
    ),
    (
        "src/object/jsobject.rs",
        "    /// Diverges from the spec to prevent a stack overflow when the object is recursive.
    /// For example,
    /// ```javascript
    /// let a = [1];
    /// a[1] = a;
    /// console.log(a.toString()); // We print \"1,\"
    /// ```
    /// The spec doesn't mention what to do in this situation, but a naive implementation
    /// would overflow the stack recursively calling `toString()`. We follow v8 and SpiderMonkey
    /// instead by returning a default value for the given `hint` -- either `0.` or `\"\"`.
    /// Example in v8: <https://repl.it/repls/IvoryCircularCertification#index.js>
    ///
",
        "",
    ),
    (
        "src/builtins/array/mod.rs",
        "        // 7. Repeat, while k < len,
        for k in 0..len {
            // a. If k > 0, set R to the string-concatenation of R and sep.",
        "        let mut joining = None;
        // 7. Repeat, while k < len,
        for k in 0..len {
            // a. If k > 0, set R to the string-concatenation of R and sep.",
    ),
    (
        "src/builtins/array/mod.rs",
        "                element.to_string(context)?
            };
            // d. Set R to the string-concatenation of R and next.
            r.push(next.clone());",
        "                // Only conversions of objects can come back to this array.
                if element.is_object() && joining.is_none() {
                    let limiter = crate::object::RecursionLimiter::new(o.as_ref());
                    if limiter.live {
                        return Ok(js_string!().into());
                    }
                    joining = Some(limiter);
                }
                element.to_string(context)?
            };
            // d. Set R to the string-concatenation of R and next.
            r.push(next.clone());",
    ),
];

const MALFORMED_URI: &str = "\"malformed URI\"";

/// What is below the mark belongs to the function's snapshot and is never freed in a request. So references to it need no counting, and
/// counting would dirty the pages that they lie in.
const COLLECTOR: &[Change] = &[
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
    // Reading what lies in the snapshot leaves no note there, which would dirty its page. What that costs: where somebody writes to such a
    // cell while somebody else still reads it, a released engine panics, and this one goes on with both references. Either is a fault of
    // the engine, which ends a borrow before it calls what may write; and the harm stays in the guest's memory, which each run gets anew.
    // Two writers, and a reader that comes to a writer, are found as ever. Below the mark lie the snapshot's blocks, the stack and the
    // statics; a request's own blocks lie above it (`seal` in the guest's `alloc.rs`) and are checked in full.
    (
        "src/cell.rs",
        "        self.borrow.set(self.borrow.get().add_reading());

        // SAFETY: calling value",
        "        note(&self.borrow, BorrowFlag::add_reading);

        // SAFETY: calling value",
    ),
    (
        "src/cell.rs",
        "        self.borrow.set(self.borrow.get().sub_reading());",
        "        note(self.borrow, BorrowFlag::sub_reading);",
    ),
    (
        "src/cell.rs",
        "    fn drop(&mut self) {
        debug_assert_eq!(self.borrow.get().borrowed(), BorrowState::Reading);",
        "    #[inline]
    fn drop(&mut self) {",
    ),
    (
        "src/cell.rs",
        "        self.borrow.set(self.borrow.get().add_reading());
        BorrowGcRef {",
        "        note(self.borrow, BorrowFlag::add_reading);
        BorrowGcRef {",
    ),
    (
        "src/cell.rs",
        "impl<T: ?Sized> GcRefCell<T> {
",
        "/// Changes the count of readers, unless the cell is frozen.
#[inline]
fn note(borrow: &Cell<BorrowFlag>, change: impl FnOnce(BorrowFlag) -> BorrowFlag) {
    let place = std::ptr::from_ref(borrow) as usize;
    if place >= crate::FROZEN_BELOW.load(std::sync::atomic::Ordering::Relaxed) {
        borrow.set(change(borrow.get()));
    }
}

impl<T: ?Sized> GcRefCell<T> {
    /// The value, without a note that somebody reads it; `None` while somebody writes.
    ///
    /// # Safety
    /// Nobody may begin to write to the cell while the reference is used.
    #[inline(always)]
    pub unsafe fn peek(&self) -> Option<&T> {
        // SAFETY: nobody writes now, and the caller sees to what comes.
        (self.borrow.get().0 != WRITING).then(|| unsafe { &*self.cell.get() })
    }

",
    ),
    (
        "src/pointers/weak.rs",
        "    /// Upgrade returns a `Gc` pointer",
        "    /// Whether this refers to the very value, and it is alive.
    #[inline(always)]
    pub fn is(&self, value: &Gc<T>) -> bool {
        self.inner.is(value)
    }

    /// Upgrade returns a `Gc` pointer",
    ),
    (
        "src/pointers/ephemeron.rs",
        "    /// Gets the stored key of this `Ephemeron`, or `None` if the key was already garbage collected.",
        "    /// Whether this is the key, alive.
    #[inline(always)]
    pub fn is(&self, key: &Gc<K>) -> bool {
        // SAFETY: `inner_ptr` is valid.
        unsafe { self.inner_ptr.as_ref().key_ptr() }.is_some_and(|own| std::ptr::addr_eq(own.as_ptr(), key.inner_ptr.as_ptr()))
    }

    /// Gets the stored key of this `Ephemeron`, or `None` if the key was already garbage collected.",
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
const STRINGS: &[Change] = &[
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
    // What a text is, without a call for each look at it.
    (
        "src/lib.rs",
        "        (self.vtable().as_str)(self.ptr)",
        "        // SAFETY: the kind says which of the structures it is, and all live as long as the reference.
        unsafe {
            match self.vtable().kind {
                JsStringKind::Latin1Sequence => {
                    let data = self.as_inner::<SequenceString<Latin1>>().data();
                    JsStr::latin1(std::slice::from_raw_parts(data, self.vtable().len))
                }
                JsStringKind::Utf16Sequence => {
                    let data = self.as_inner::<SequenceString<Utf16>>().data();
                    JsStr::utf16(std::slice::from_raw_parts(data.cast(), self.vtable().len))
                }
                JsStringKind::Slice => self.as_inner::<SliceString>().inner,
                JsStringKind::Static => self.as_inner::<StaticString>().str,
            }
        }",
    ),
    (
        "src/str.rs",
        "        self.windows(search_value.len())
            .skip(from_index)",
        "        if let (JsStrVariant::Latin1(text), JsStrVariant::Latin1(search)) = (self.variant(), search_value.variant()) {
            let [first, others @ ..] = search else { return None };
            let mut at = from_index;
            loop {
                at += text.get(at..)?.iter().position(|byte| byte == first)?;
                if text[at + 1..].starts_with(others) {
                    return Some(at);
                }
                at += 1;
            }
        }
        self.windows(search_value.len())
            .skip(from_index)",
    ),
    ("src/vtable/slice.rs", "    inner: JsStr<'static>,", "    pub(crate) inner: JsStr<'static>,"),
    (
        "src/lib.rs",
        "        self.as_str() == other.as_str()",
        "        self.ptr == other.ptr || (self.len() == other.len() && self.as_str() == other.as_str())",
    ),
];
