//! References, borrows and texts in the snapshot: nothing is noted in its pages.

use super::Change;

/// What is below the mark belongs to the function's snapshot and is never freed in a request. So references to it need no counting, and
/// counting would dirty the pages that they lie in.
pub(super) const COLLECTOR: &[Change] = &[
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
pub(super) const STRINGS: &[Change] = &[
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
