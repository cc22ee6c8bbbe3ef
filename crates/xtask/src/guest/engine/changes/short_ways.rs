//! The short ways of the interpreter, and what its caches may say.

use super::Change;

pub(super) const SHORT_WAYS: &[Change] = &[
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
];
