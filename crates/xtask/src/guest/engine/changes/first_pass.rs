//! What a request pays for once: calls of native functions, properties of plain objects, inline caches that are empty.

use super::Change;

pub(super) const FIRST_PASS: &[Change] = &[
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
];
