//! The interpreter's loop, with short ways for plain values.
//!
//! Most instructions of a usual function meet two integers, a text and an index, or an object whose property is where its cache says. For
//! these the loop does at once what the instruction comes to: no handler is called, no value is counted that stays where it is, and
//! nothing is written that was not asked for. Whatever is not plain takes the long way, the instruction's own handler, which finds
//! everything as if nobody had looked: a short way either does the whole instruction or nothing.

use super::{
    CompletionRecord, Constant, InlineCache,
    opcode::{OPCODE_HANDLERS, Opcode},
};
use crate::{
    Context, JsObject, JsString, JsValue,
    builtins::{math::Math, string::String},
    native_function::NativeFunctionObject,
    object::{
        internal_methods::{add_plain_value, plain_value, replace_plain_value},
        shape::slot::SlotAttributes,
    },
    property::PropertyKey,
};
use std::{mem::ManuallyDrop, ops::ControlFlow};

/// Values as bits (`value/inner/nan_boxed.rs`).
const NOT_A_NUMBER: u64 = 0x7FF8 << 48;
const INTEGER: u64 = 0x7FF9 << 48;
const FALSE: u64 = 0x7FFA << 48;
const TRUE: u64 = FALSE | 1;
const NULL: u64 = 0x7FFB << 48;
const UNDEFINED: u64 = NULL | 1;
/// Bytes from the first operand of `text.charCodeAt(index)` to its end ([`Context::character_code`]).
const CHARACTER_CODE: usize = 46;
/// Upper half of integers.
const INTEGER_HALF: u32 = (INTEGER >> 32) as u32;
/// Kinds: the upper 16 bits.
const KIND_INTEGER: u64 = 0x7FF9;
const KIND_NULLISH: u64 = 0x7FFB;
const KIND_OBJECT: u64 = 0x7FFC;
const KIND_STRING: u64 = 0x7FFD;

const _: () = assert!(size_of::<JsValue>() == size_of::<u64>());

#[inline(always)]
const fn kind(bits: u64) -> u64 {
    bits >> 48
}

/// Whether the value refers to something that is counted: the four kinds from objects on.
#[inline(always)]
const fn is_counted(bits: u64) -> bool {
    bits >> 50 == KIND_OBJECT >> 2
}

#[inline(always)]
const fn integer(value: i32) -> u64 {
    value as u32 as u64 | INTEGER
}

#[inline(always)]
const fn boolean(value: bool) -> u64 {
    value as u64 | FALSE
}

/// A value that is looked at through its bits, and not counted.
#[inline(always)]
fn value(bits: u64) -> ManuallyDrop<JsValue> {
    // SAFETY: all callers have the bits from a value that lives on while this one is used.
    ManuallyDrop::new(unsafe { std::mem::transmute::<u64, JsValue>(bits) })
}

#[inline(always)]
fn into_bits(value: JsValue) -> u64 {
    // SAFETY: a value is its bits (checked above); it is forgotten.
    unsafe { std::mem::transmute::<JsValue, u64>(value) }
}

#[inline(never)]
fn count(bits: u64) {
    std::mem::forget((*value(bits)).clone());
}

#[inline(never)]
fn let_go(bits: u64) {
    drop(ManuallyDrop::into_inner(value(bits)));
}

/// Whether the value is one of the objects and texts that are not counted, because they are never freed (`boa_gc::FROZEN_BELOW`).
#[inline(always)]
fn is_frozen(bits: u64) -> bool {
    bits >> 49 == KIND_OBJECT >> 1
        && (bits as u32 as usize) < boa_gc::FROZEN_BELOW.load(std::sync::atomic::Ordering::Relaxed)
}

/// The bits of one more reference.
#[inline(always)]
fn copy(bits: u64) -> u64 {
    if is_counted(bits) && !is_frozen(bits) {
        count(bits);
    }
    bits
}

/// Shortens the stack. Most registers hold nothing that is counted.
pub(super) fn truncate(stack: &mut Vec<JsValue>, len: usize) {
    let end = stack.len();
    if len >= end {
        return;
    }
    // SAFETY: the values from `len` on are the stack's no more before the first of them goes, and each goes once.
    unsafe {
        stack.set_len(len);
        let values = stack.as_ptr();
        for n in len..end {
            let bits = values.add(n).cast::<u64>().read_unaligned();
            if is_counted(bits) && !is_frozen(bits) {
                let_go(bits);
            }
        }
    }
}

/// The registers of a frame.
#[derive(Clone, Copy)]
struct Registers(*mut JsValue);

impl Registers {
    #[inline(always)]
    unsafe fn bits(self, index: u32) -> u64 {
        // SAFETY: the compiler gives a frame all registers that its code names.
        unsafe { self.0.add(index as usize).cast::<u64>().read_unaligned() }
    }

    /// Two integers, if they are.
    #[inline(always)]
    unsafe fn integers(self, a: u32, b: u32) -> Option<(i32, i32)> {
        // SAFETY: as in `bits`.
        let (a, b) = unsafe { (self.bits(a), self.bits(b)) };
        ((a >> 32) as u32 == INTEGER_HALF && (b >> 32) as u32 == INTEGER_HALF).then_some((a as i32, b as i32))
    }

    /// Stores a value; the reference is the register's now.
    #[inline(always)]
    unsafe fn put(self, index: u32, bits: u64) {
        // SAFETY: as in `bits`. The new value is in place before the old one goes.
        unsafe {
            let place = self.0.add(index as usize).cast::<u64>();
            let old = place.read_unaligned();
            place.write_unaligned(bits);
            if is_counted(old) && !is_frozen(old) {
                let_go(old);
            }
        }
    }
}

/// Whether `a === b`, where that can be seen at once.
#[inline(always)]
fn strictly_equal(a: u64, b: u64) -> Option<bool> {
    if a == b {
        return Some(a != NOT_A_NUMBER);
    }
    match (kind(a), kind(b)) {
        (KIND_STRING, KIND_STRING) => Some(same_text(a, b)),
        // Of floats, symbols and big integers two that differ in bits may be equal.
        (KIND_INTEGER..=KIND_STRING, KIND_INTEGER..=KIND_STRING) => Some(false),
        _ => None,
    }
}

#[inline(never)]
fn same_text(a: u64, b: u64) -> bool {
    match (text(&value(a)), text(&value(b))) {
        (Some(a), Some(b)) => *a == *b,
        _ => false,
    }
}

/// The text of a value, not counted.
#[inline(always)]
fn text(value: &JsValue) -> Option<ManuallyDrop<JsString>> {
    value.peek_string()
}

impl Context {
    /// Runs the current frame and all that it calls.
    pub(crate) fn run(&mut self) -> CompletionRecord {
        'frame: loop {
            let frame = self.vm.frame();
            // SAFETY: the frame holds the code for as long as it is the current one, and each way that changes the frame begins anew here.
            let code = unsafe { &*(&raw const **frame.code_block()) };
            let begin = code.bytecode.bytes.as_ptr();
            // SAFETY: `pc` is the place of an instruction of this code.
            let mut at = unsafe { begin.add(frame.pc as usize) };
            let first = frame.rp as usize;
            // SAFETY: the registers lie on the stack from `rp` on.
            let registers = Registers(unsafe { self.vm.stack.stack.as_mut_ptr().add(first) });

            /// The n-th operand, where those before it have four bytes each.
            macro_rules! operand {
                ($n:literal) => {
                    // SAFETY: the compiler wrote the operands of the instruction.
                    unsafe { at.add(1 + 4 * $n).cast::<u32>().read_unaligned() }
                };
            }
            /// To the next instruction, behind operands of so many bytes.
            macro_rules! next {
                ($operands:expr) => {{
                    // SAFETY: no code ends but with an instruction that leaves it.
                    at = unsafe { at.add(1 + $operands) };
                    continue;
                }};
            }
            macro_rules! jump {
                ($address:expr) => {{
                    // SAFETY: addresses are places of instructions.
                    at = unsafe { begin.add($address as usize) };
                    continue;
                }};
            }
            /// Stores and goes on.
            macro_rules! store {
                ($bits:expr, $operands:literal) => {{
                    let bits = $bits;
                    // SAFETY: operands name registers of the frame.
                    unsafe { registers.put(operand!(0), bits) };
                    next!($operands)
                }};
            }
            macro_rules! register {
                ($n:literal) => {
                    // SAFETY: operands name registers of the frame.
                    unsafe { registers.bits(operand!($n)) }
                };
            }
            macro_rules! integers {
                ($a:literal, $b:literal) => {
                    // SAFETY: operands name registers of the frame.
                    unsafe { registers.integers(operand!($a), operand!($b)) }
                };
            }
            /// An instruction on two integers.
            macro_rules! on_integers {
                (|$a:ident, $b:ident| $result:expr) => {
                    if let Some(($a, $b)) = integers!(1, 2)
                        && let Some(result) = $result
                    {
                        store!(integer(result), 12)
                    }
                };
            }
            macro_rules! compare_integers {
                (|$a:ident, $b:ident| $result:expr) => {
                    if let Some(($a, $b)) = integers!(1, 2) {
                        store!(boolean($result), 12)
                    }
                };
            }
            macro_rules! jump_unless {
                (|$a:ident, $b:ident| $result:expr) => {
                    if let Some(($a, $b)) = integers!(1, 2) {
                        if !$result {
                            jump!(operand!(0))
                        }
                        next!(12)
                    }
                };
            }

            loop {
                // SAFETY: `at` is the place of an instruction.
                let opcode = Opcode::decode(unsafe { *at });
                match opcode {
                    Opcode::StoreZero => store!(integer(0), 4),
                    Opcode::StoreOne => store!(integer(1), 4),
                    // SAFETY (all three): the compiler wrote the operand.
                    Opcode::StoreInt8 => store!(integer(i32::from(unsafe { at.add(5).cast::<i8>().read() })), 5),
                    Opcode::StoreInt16 => {
                        store!(integer(i32::from(unsafe { at.add(5).cast::<i16>().read_unaligned() })), 6)
                    }
                    Opcode::StoreInt32 => store!(integer(unsafe { at.add(5).cast::<i32>().read_unaligned() }), 8),
                    Opcode::StoreNull => store!(NULL, 4),
                    Opcode::StoreTrue => store!(TRUE, 4),
                    Opcode::StoreFalse => store!(FALSE, 4),
                    Opcode::StoreUndefined => store!(UNDEFINED, 4),
                    Opcode::StoreLiteral => {
                        if let Constant::String(text) = &code.constants[operand!(1) as usize] {
                            store!(into_bits(text.clone().into()), 8)
                        }
                    }
                    Opcode::Move => {
                        let bits = register!(1);
                        if kind(bits) == KIND_STRING
                            // SAFETY: an instruction stands behind this one, and the code and the registers are the frame's.
                            && let Some((place, unit)) = unsafe { self.character_code(code, at, registers, bits) }
                        {
                            // SAFETY: the place is one of the frame's registers.
                            unsafe { registers.put(place, unit) };
                            next!(CHARACTER_CODE)
                        }
                        store!(copy(bits), 8)
                    }
                    Opcode::PushFromRegister => {
                        let stack = &mut self.vm.stack.stack;
                        if stack.len() < stack.capacity() {
                            let bits = copy(register!(0));
                            // SAFETY: there is room for one more, and it is written before it counts.
                            unsafe {
                                stack.as_mut_ptr().add(stack.len()).cast::<u64>().write_unaligned(bits);
                                stack.set_len(stack.len() + 1);
                            }
                            next!(4)
                        }
                    }
                    Opcode::PopIntoRegister => {
                        let top = into_bits(self.vm.stack.pop());
                        store!(top, 4)
                    }
                    Opcode::Pop => {
                        drop(self.vm.stack.pop());
                        next!(0)
                    }
                    Opcode::GetArgument => {
                        let frame = self.vm.frame();
                        let found = self.vm.stack.get_argument(frame, operand!(0) as usize);
                        let bits = found.map_or(UNDEFINED, |value| into_bits(value.clone()));
                        // SAFETY: the operand names a register of the frame.
                        unsafe { registers.put(operand!(1), bits) };
                        next!(8)
                    }

                    Opcode::Add => {
                        on_integers!(|a, b| a.checked_add(b));
                        if let Some(sum) = joined(register!(1), register!(2)) {
                            store!(sum, 12)
                        }
                    }
                    Opcode::Sub => on_integers!(|a, b| a.checked_sub(b)),
                    // 0 may be one below zero.
                    Opcode::Mul => on_integers!(|a, b| a.checked_mul(b).filter(|product| *product != 0)),
                    Opcode::Mod => on_integers!(|a, b| if a >= 0 && b > 0 { Some(a % b) } else { None }),
                    Opcode::BitAnd => on_integers!(|a, b| Some(a & b)),
                    Opcode::BitOr => on_integers!(|a, b| Some(a | b)),
                    Opcode::BitXor => on_integers!(|a, b| Some(a ^ b)),
                    Opcode::ShiftLeft => on_integers!(|a, b| Some(a.wrapping_shl(b as u32))),
                    Opcode::ShiftRight => on_integers!(|a, b| Some(a.wrapping_shr(b as u32))),
                    Opcode::UnsignedShiftRight => {
                        on_integers!(|a, b| i32::try_from((a as u32).wrapping_shr(b as u32)).ok())
                    }
                    Opcode::Inc => {
                        let bits = register!(1);
                        if (bits >> 32) as u32 == INTEGER_HALF && bits as i32 != i32::MAX {
                            store!(integer(bits as i32 + 1), 8)
                        }
                    }
                    Opcode::Dec => {
                        let bits = register!(1);
                        if (bits >> 32) as u32 == INTEGER_HALF && bits as i32 != i32::MIN {
                            store!(integer(bits as i32 - 1), 8)
                        }
                    }

                    Opcode::LessThan => compare_integers!(|a, b| a < b),
                    Opcode::LessThanOrEq => compare_integers!(|a, b| a <= b),
                    Opcode::GreaterThan => compare_integers!(|a, b| a > b),
                    Opcode::GreaterThanOrEq => compare_integers!(|a, b| a >= b),
                    Opcode::StrictEq => {
                        if let Some(equal) = strictly_equal(register!(1), register!(2)) {
                            store!(boolean(equal), 12)
                        }
                    }
                    Opcode::StrictNotEq => {
                        if let Some(equal) = strictly_equal(register!(1), register!(2)) {
                            store!(boolean(!equal), 12)
                        }
                    }
                    Opcode::LogicalNot => {
                        let truth = value(register!(0)).to_boolean();
                        store!(boolean(!truth), 4)
                    }

                    Opcode::Jump => jump!(operand!(0)),
                    Opcode::JumpIfTrue | Opcode::LogicalOr => {
                        if value(register!(1)).to_boolean() {
                            jump!(operand!(0))
                        }
                        next!(8)
                    }
                    Opcode::JumpIfFalse | Opcode::LogicalAnd => {
                        if !value(register!(1)).to_boolean() {
                            jump!(operand!(0))
                        }
                        next!(8)
                    }
                    Opcode::JumpIfNotUndefined => {
                        if register!(1) != UNDEFINED {
                            jump!(operand!(0))
                        }
                        next!(8)
                    }
                    Opcode::JumpIfNullOrUndefined => {
                        if kind(register!(1)) == KIND_NULLISH {
                            jump!(operand!(0))
                        }
                        next!(8)
                    }
                    Opcode::JumpIfNotLessThan => jump_unless!(|a, b| a < b),
                    Opcode::JumpIfNotLessThanOrEqual => jump_unless!(|a, b| a <= b),
                    Opcode::JumpIfNotGreaterThan => jump_unless!(|a, b| a > b),
                    Opcode::JumpIfNotGreaterThanOrEqual => jump_unless!(|a, b| a >= b),
                    // Nothing else looks at the count.
                    Opcode::IncrementLoopIteration if self.vm.runtime_limits.loop_iteration_limit() == u64::MAX => {
                        next!(0)
                    }

                    Opcode::GetLengthProperty => {
                        if let Some(length) = length(&value(register!(1))) {
                            store!(length, 12)
                        }
                    }
                    Opcode::GetPropertyByName => {
                        let of = value(register!(1));
                        if let Some(found) = self.property(&of, &code.ic[operand!(2) as usize]) {
                            store!(found, 12)
                        }
                    }
                    Opcode::GetPropertyByValue => {
                        // Destination, key, receiver, object.
                        if let Some(found) = element(&value(register!(3)), register!(1)) {
                            store!(found, 16)
                        }
                    }
                    Opcode::SetPropertyByName => {
                        // Value, object, cache.
                        if set_property(&value(register!(1)), register!(0), &code.ic[operand!(2) as usize]) {
                            next!(12)
                        }
                    }
                    Opcode::SetPropertyByValue => {
                        // Value, key, receiver, object.
                        if register!(2) == register!(3)
                            && set_element(&value(register!(3)), register!(1), &value(register!(0)))
                        {
                            next!(16)
                        }
                    }
                    Opcode::DefineOwnPropertyByName => {
                        // Object, value, name.
                        if let Constant::String(name) = &code.constants[operand!(2) as usize]
                            && define_property(&value(register!(0)), name, &value(register!(1)))
                        {
                            next!(12)
                        }
                    }
                    Opcode::GetNameGlobal => {
                        if let Some(found) = self.global(code, operand!(1), &code.ic[operand!(2) as usize]) {
                            store!(found, 12)
                        }
                    }
                    Opcode::Call => {
                        if self.intrinsic(operand!(0) as usize) {
                            next!(4)
                        }
                    }
                    _ => {}
                }

                // The long way. SAFETY: both lie in the same code.
                let pc = unsafe { at.offset_from(begin) } as usize;
                match OPCODE_HANDLERS[opcode as usize](self, pc) {
                    ControlFlow::Continue(()) => continue 'frame,
                    ControlFlow::Break(value) => return value,
                }
            }
        }
    }

    /// `text.charCodeAt(index)` as a whole: seven instructions, of which the first moves the text. Gives the register of the result, and
    /// the result. The registers between hold nothing that anybody reads after the call.
    ///
    /// # Safety
    /// `at` is the place of a move in `code`, the registers are of a frame that runs it.
    #[inline(always)]
    unsafe fn character_code(
        &self,
        code: &super::CodeBlock,
        at: *const u8,
        registers: Registers,
        text: u64,
    ) -> Option<(u32, u64)> {
        // SAFETY (all): a byte is read where the instruction before it ends, an operand after its instruction was recognised.
        let is = |place: usize, opcode: Opcode| unsafe { *at.add(place) } == opcode as u8;
        let operand = |place: usize| unsafe { at.add(place).cast::<u32>().read_unaligned() };
        let expected = is(9, Opcode::GetPropertyByName)
            && operand(14) == operand(1)
            && is(22, Opcode::PushFromRegister)
            && operand(23) == operand(1)
            && is(27, Opcode::PushFromRegister)
            && operand(28) == operand(10)
            && is(32, Opcode::PushFromRegister)
            && is(37, Opcode::Call)
            && operand(38) == 1
            && is(42, Opcode::PopIntoRegister);
        if !expected {
            return None;
        }
        let index = unsafe { registers.bits(operand(33)) };
        if (index >> 32) as u32 != INTEGER_HALF {
            return None;
        }
        // The reference is ours.
        let found = self.property(&value(text), &code.ic[operand(18) as usize])?;
        let found = ManuallyDrop::into_inner(value(found));
        let native = found.peek_object().and_then(|function| NativeFunctionObject::peek_pointer(&function))?;
        if native as usize != String::char_code_at as *const () as usize {
            return None;
        }
        let text = value(text);
        let unit = usize::try_from(index as i32).ok().and_then(|index| self::text(&text)?.code_unit_at(index));
        Some((operand(43), unit.map_or(NOT_A_NUMBER, |unit| integer(i32::from(unit)))))
    }

    /// A property of an object, or of a text through its prototype, that is where the cache says. The first pass of a place looks it up
    /// without filling the cache: most places are passed once.
    #[inline(never)]
    fn property(&self, of: &JsValue, cache: &InlineCache) -> Option<u64> {
        if let Some(object) = of.peek_object() {
            return cached(&object, cache).or_else(|| first_pass(&object, cache));
        }
        if of.is_string() {
            let prototype = self.intrinsics().constructors().string().prototype_ref();
            return cached(prototype, cache).or_else(|| first_pass(prototype, cache));
        }
        None
    }

    /// A property of the global object that is where the cache says.
    #[inline(never)]
    fn global(&self, code: &super::CodeBlock, binding: u32, cache: &InlineCache) -> Option<u64> {
        let frame = self.vm.frame();
        let environment = frame.environments.current_declarative_ref(frame.realm.environment())?;
        let binding = &code.bindings[binding as usize];
        if environment.with() || environment.poisoned() || !binding.is_global() {
            return None;
        }
        let object = frame.realm.global_object();
        cached(object, cache).or_else(|| first_pass(object, cache))
    }

    /// Calls one of a few built-ins on plain values, which then neither fails nor calls anything.
    #[inline(never)]
    fn intrinsic(&mut self, count: usize) -> bool {
        let stack = &mut self.vm.stack.stack;
        let Some(first) = stack.len().checked_sub(count + 2) else { return false };
        let [this, function, arguments @ ..] = &stack[first..] else { return false };
        let Some(function) = function.peek_object() else { return false };
        let Some(native) = NativeFunctionObject::peek_pointer(&function) else { return false };
        let native = native as usize;
        let result = if native == String::char_code_at as *const () as usize {
            let (Some(text), Some(index)) = (text(this), position(arguments)) else { return false };
            text.code_unit_at(index).map_or(NOT_A_NUMBER, |unit| integer(i32::from(unit)))
        } else if native == Math::imul as *const () as usize {
            let [a, b, ..] = arguments else { return false };
            let (Some(a), Some(b)) = (a.as_i32(), b.as_i32()) else { return false };
            integer(a.wrapping_mul(b))
        } else {
            return false;
        };
        truncate(stack, first + 1);
        // SAFETY: the bits are a value's.
        stack[first] = unsafe { std::mem::transmute::<u64, JsValue>(result) };
        true
    }
}

/// A position in a text; a negative one is past every end.
fn position(arguments: &[JsValue]) -> Option<usize> {
    match arguments {
        [] => Some(0),
        [index, ..] => index.as_i32().map(|index| usize::try_from(index).unwrap_or(usize::MAX)),
    }
}

/// `length` of texts and arrays.
#[inline(always)]
fn length(of: &JsValue) -> Option<u64> {
    if let Some(text) = text(of) {
        return i32::try_from(text.len()).ok().map(integer);
    }
    let object = of.peek_object()?;
    if !object.is_array() {
        return None;
    }
    // SAFETY: nothing runs while it is looked at.
    let object = unsafe { object.peek() }?;
    Some(copy(into_bits_of(object.properties().storage.first()?)))
}

/// The sum of two texts.
#[inline(never)]
fn joined(a: u64, b: u64) -> Option<u64> {
    if kind(a) != KIND_STRING || kind(b) != KIND_STRING {
        return None;
    }
    let (a, b) = (value(a), value(b));
    let (a, b) = (text(&a)?, text(&b)?);
    Some(into_bits(JsString::concat(a.as_str(), b.as_str()).into()))
}

/// An element of an array without holes, or a plain property under a name.
#[inline(never)]
fn element(of: &JsValue, key: u64) -> Option<u64> {
    let object = of.peek_object()?;
    if (key >> 32) as u32 != INTEGER_HALF {
        let key = value(key);
        let key = PropertyKey::from((*text(&key)?).clone());
        return plain_value(&object, &key).map(into_bits);
    }
    let index = u32::try_from(key as i32).ok()?;
    if !object.is_array() {
        return None;
    }
    // SAFETY: nothing runs while it is looked at.
    let object = unsafe { object.peek() }?;
    object.properties().get_dense_property(index).map(into_bits)
}

/// The bits of a value that stays where it is.
#[inline(always)]
fn into_bits_of(value: &JsValue) -> u64 {
    // SAFETY: a value is its bits; whoever keeps them counts them.
    unsafe { std::ptr::from_ref(value).cast::<u64>().read_unaligned() }
}

fn cached(object: &JsObject, cache: &InlineCache) -> Option<u64> {
    // SAFETY: nothing runs while it is looked at.
    let object = unsafe { object.peek() }?;
    let shape = object.shape();
    let slot = cache.find(shape)?;
    if slot.attributes.is_accessor_descriptor() {
        return None;
    }
    let index = slot.index as usize;
    if slot.attributes.contains(SlotAttributes::PROTOTYPE) {
        let prototype = shape.prototype()?;
        // SAFETY: as above.
        let prototype = unsafe { prototype.peek() }?;
        return prototype.properties().storage.get(index).map(|value| copy(into_bits_of(value)));
    }
    object.properties().storage.get(index).map(|value| copy(into_bits_of(value)))
}

fn first_pass(object: &JsObject, cache: &InlineCache) -> Option<u64> {
    if cache.missed.get() {
        return None;
    }
    let key: PropertyKey = cache.name.clone().into();
    let found = plain_value(object, &key)?;
    cache.missed.set(true);
    Some(into_bits(found))
}

/// Replaces the value of a plain property that is where the cache says.
#[inline(never)]
fn set_property(of: &JsValue, new: u64, cache: &InlineCache) -> bool {
    let Some(object) = of.peek_object() else { return false };
    // SAFETY: nothing runs while it is looked at.
    let Some(slot) = unsafe { object.peek() }.and_then(|object| cache.find(object.shape())) else {
        return set_in_first_pass(&object, new, cache);
    };
    if slot.attributes.is_accessor_descriptor() || slot.attributes.contains(SlotAttributes::PROTOTYPE) {
        return false;
    }
    let mut object = object.borrow_mut();
    let Some(place) = object.properties_mut().storage.get_mut(slot.index as usize) else { return false };
    // SAFETY: the bits are a value's, counted once more.
    let old = std::mem::replace(place, unsafe { std::mem::transmute::<u64, JsValue>(copy(new)) });
    drop(object);
    drop(old);
    true
}

/// Replaces an element of an array without holes, or replaces or adds a plain property under a name.
#[inline(never)]
fn set_element(of: &JsValue, key: u64, new: &JsValue) -> bool {
    let Some(object) = of.peek_object() else { return false };
    if (key >> 32) as u32 == INTEGER_HALF {
        let Ok(index) = u32::try_from(key as i32) else { return false };
        let mut object = object.is_array().then(|| object.borrow_mut());
        return object
            .as_mut()
            .is_some_and(|array| array.extensible && array.properties_mut().set_dense_property(index, new));
    }
    let key = value(key);
    let Some(name) = text(&key) else { return false };
    let key = PropertyKey::from((*name).clone());
    replace_plain_value(&object, &key, new) || add_plain_value(&object, &key, new, true)
}

/// Adds a property of an object literal.
#[inline(never)]
fn define_property(of: &JsValue, name: &JsString, new: &JsValue) -> bool {
    let Some(object) = of.peek_object() else { return false };
    add_plain_value(&object, &PropertyKey::from(name.clone()), new, false)
}

fn set_in_first_pass(object: &JsObject, new: u64, cache: &InlineCache) -> bool {
    if cache.missed.get() {
        return false;
    }
    let (key, new): (PropertyKey, _) = (cache.name.clone().into(), value(new));
    let done = replace_plain_value(object, &key, &new) || add_plain_value(object, &key, &new, true);
    if done {
        cache.missed.set(true);
    }
    done
}
