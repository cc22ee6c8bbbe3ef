//! Takes the guest module apart: code for the compiler, data for the first image, names of everything that can change.
//!
//! The module is compiled without its data section, so that one compilation serves every image. What an instance can change must be
//! known in full, because it is what a restoration has to restore: the memory, and the mutable globals. Modules that could change
//! anything else (tables, segments) are refused.

use crate::mapping::PAGE;
use wasm_encoder::{ExportKind, ExportSection, Module, RawSection};
use wasmparser::{
    BinaryReaderError, DataKind, ExportSectionReader, ExternalKind, Operator, Parser, Payload, TypeRef, ValType,
};

/// Bytes of a wasm page.
const WASM_PAGE: u64 = 64 << 10;
/// Pages of a memory at most; `residence.rs` numbers them in 16 bits.
const MAX_PAGES: u64 = 65_535;
/// Start of the names under which mutable globals are exported that had no name.
const GLOBAL: &str = "rimward-global-";

/// The guest module in parts.
#[derive(Debug)]
pub(crate) struct GuestImage<'a> {
    /// The module without data and custom sections, with all mutable globals exported.
    pub(crate) module: Vec<u8>,
    /// Names of the mutable globals; all are `i32`.
    pub(crate) globals: Vec<String>,
    /// Where data goes, and the data.
    segments: Vec<(usize, &'a [u8])>,
}

/// Why a module cannot be the guest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnfitGuest {
    /// It is no wasm module.
    #[error("not a wasm module: {0}")]
    Malformed(String),
    /// It has state that would not be restored.
    #[error("{0}")]
    Unfit(&'static str),
}

impl From<BinaryReaderError> for UnfitGuest {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl<'a> GuestImage<'a> {
    /// Takes `wasm` apart.
    pub(crate) fn try_new(wasm: &'a [u8]) -> Result<Self, UnfitGuest> {
        let mut module = Module::new();
        let mut memory = None;
        let mut mutable = Vec::new();
        let mut globals = Vec::new();
        let mut segments = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            match &payload {
                Payload::CustomSection(_) | Payload::DataCountSection { .. } => continue,
                Payload::StartSection { .. } => return Err(UnfitGuest::Unfit("has a start function")),
                Payload::ImportSection(imports) => {
                    for import in imports.clone().into_imports() {
                        if !matches!(import?.ty, TypeRef::Func(_)) {
                            return Err(UnfitGuest::Unfit("imports something that is no function"));
                        }
                    }
                }
                Payload::MemorySection(memories) => {
                    for declared in memories.clone() {
                        check_memory(&declared?)?;
                        if memory.replace(()).is_some() {
                            return Err(UnfitGuest::Unfit("has more than one memory"));
                        }
                    }
                }
                Payload::GlobalSection(section) => {
                    for (index, global) in section.clone().into_iter().enumerate() {
                        let declared = global?.ty;
                        if declared.mutable {
                            if declared.content_type != ValType::I32 {
                                return Err(UnfitGuest::Unfit("has a mutable global that is no i32"));
                            }
                            mutable.push(index as u32);
                        }
                    }
                }
                Payload::ExportSection(exports) => {
                    module.section(&with_globals(exports, &mutable, &mut globals)?);
                    continue;
                }
                Payload::DataSection(section) => {
                    for segment in section.clone() {
                        let segment = segment?;
                        segments.push((offset(&segment.kind)?, segment.data));
                    }
                    continue;
                }
                _ => {}
            }
            if let Some((id, range)) = payload.as_section() {
                let data = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
                let data = data.and_then(|(start, end)| wasm.get(start..end));
                module.section(&RawSection { id, data: data.ok_or(UnfitGuest::Unfit("has a section past its end"))? });
            }
        }
        if globals.len() != mutable.len() {
            return Err(UnfitGuest::Unfit("has no exports"));
        }
        if memory.is_none() {
            return Err(UnfitGuest::Unfit("has no memory"));
        }
        Ok(Self { module: module.finish(), globals, segments })
    }

    /// Writes the data segments into a fresh memory.
    pub(crate) fn write_data(&self, memory: &mut [u8]) -> Result<(), UnfitGuest> {
        for (offset, data) in &self.segments {
            let end = offset.checked_add(data.len());
            let place = end.and_then(|end| memory.get_mut(*offset..end));
            place.ok_or(UnfitGuest::Unfit("has data past its memory"))?.copy_from_slice(data);
        }
        Ok(())
    }

    /// Checks that no instruction can change anything that is not restored. Reads all code: done once, before compiling it.
    pub(crate) fn check_code(&self) -> Result<(), UnfitGuest> {
        for payload in Parser::new(0).parse_all(&self.module) {
            let Payload::CodeSectionEntry(body) = payload? else { continue };
            for operator in body.get_operators_reader()? {
                match operator? {
                    Operator::TableSet { .. }
                    | Operator::TableGrow { .. }
                    | Operator::TableFill { .. }
                    | Operator::TableCopy { .. }
                    | Operator::TableInit { .. }
                    | Operator::ElemDrop { .. } => return Err(UnfitGuest::Unfit("changes a table")),
                    Operator::MemoryInit { .. } | Operator::DataDrop { .. } => {
                        return Err(UnfitGuest::Unfit("uses passive data"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn check_memory(memory: &wasmparser::MemoryType) -> Result<(), UnfitGuest> {
    if memory.maximum != Some(memory.initial) {
        return Err(UnfitGuest::Unfit("has a memory that can grow"));
    }
    if memory.memory64 || memory.shared || memory.page_size_log2.is_some() {
        return Err(UnfitGuest::Unfit("has a memory of an unusual kind"));
    }
    if memory.initial == 0 || memory.initial * (WASM_PAGE / PAGE as u64) > MAX_PAGES {
        return Err(UnfitGuest::Unfit("has a memory that is empty or larger than 255 MB"));
    }
    Ok(())
}

/// Copies the exports, adds those mutable globals that have none, and lists the names of all mutable globals.
fn with_globals(
    exports: &ExportSectionReader<'_>,
    mutable: &[u32],
    names: &mut Vec<String>,
) -> Result<ExportSection, UnfitGuest> {
    let mut section = ExportSection::new();
    let mut found = vec![None; mutable.len()];
    for export in exports.clone() {
        let export = export?;
        let kind = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => ExportKind::Func,
            ExternalKind::Table => ExportKind::Table,
            ExternalKind::Memory => ExportKind::Memory,
            ExternalKind::Global => ExportKind::Global,
            ExternalKind::Tag => ExportKind::Tag,
        };
        section.export(export.name, kind, export.index);
        if let (ExportKind::Global, Some(n)) = (kind, mutable.iter().position(|index| *index == export.index)) {
            found[n] = Some(export.name.to_owned());
        }
    }
    for (index, name) in mutable.iter().zip(found) {
        names.push(name.unwrap_or_else(|| {
            let name = format!("{GLOBAL}{index}");
            section.export(&name, ExportKind::Global, *index);
            name
        }));
    }
    Ok(section)
}

/// Offset of an active segment, which must be a plain number.
fn offset(kind: &DataKind<'_>) -> Result<usize, UnfitGuest> {
    let DataKind::Active { memory_index: 0, offset_expr } = kind else {
        return Err(UnfitGuest::Unfit("has passive data"));
    };
    let mut operators = offset_expr.get_operators_reader();
    match operators.read()? {
        Operator::I32Const { value } => Ok(value as u32 as usize),
        _ => Err(UnfitGuest::Unfit("has data at a place that is computed")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{GuestImage, UnfitGuest};

    fn unfit(text: &str) -> UnfitGuest {
        let wasm = wat::parse_str(text).unwrap();
        match GuestImage::try_new(&wasm) {
            Err(error) => error,
            Ok(image) => image.check_code().unwrap_err(),
        }
    }

    #[test]
    fn data_is_taken_out_and_written_where_it_belongs() {
        let wasm = wat::parse_str(
            r#"(module (memory (export "memory") 1 1) (global (mut i32) (i32.const 7)) (global $sp (export "sp") (mut i32) (i32.const 9))
                (global i64 (i64.const 1)) (data (i32.const 65530) "abc") (data (i32.const 3) "x") (func (export "f")))"#,
        )
        .unwrap();
        let image = GuestImage::try_new(&wasm).unwrap();
        image.check_code().unwrap();
        assert_eq!(image.globals, ["rimward-global-0", "sp"]);
        let mut memory = vec![0; 65536];
        image.write_data(&mut memory).unwrap();
        assert_eq!((&memory[65530..65533], memory[3]), (&b"abc"[..], b'x'));
        let again = GuestImage::try_new(&image.module).unwrap();
        assert!(again.segments.is_empty());
        assert_eq!(again.globals, image.globals);
    }

    #[test]
    fn data_past_the_memory_is_refused() {
        let wasm =
            wat::parse_str(r#"(module (memory 1 1) (data (i32.const -1) "abc") (export "m" (memory 0)))"#).unwrap();
        let image = GuestImage::try_new(&wasm).unwrap();
        assert_eq!(image.write_data(&mut vec![0; 65536]), Err(UnfitGuest::Unfit("has data past its memory")));
    }

    #[test]
    fn state_that_would_outlive_a_request_is_refused() {
        for (text, reason) in [
            (r#"(module (memory 1) (export "m" (memory 0)))"#, "has a memory that can grow"),
            (r#"(module (memory 1 1) (memory 1 1))"#, "has more than one memory"),
            (r#"(module (memory 4096 4096))"#, "has a memory that is empty or larger than 255 MB"),
            (r#"(module (memory 1 1) (global (mut i64) (i64.const 0)))"#, "has a mutable global that is no i32"),
            (r#"(module (memory 1 1) (func $f) (start $f))"#, "has a start function"),
            (r#"(module (import "a" "b" (memory 1 1)))"#, "imports something that is no function"),
            (r#"(module (memory 1 1) (data "abc"))"#, "has passive data"),
            (
                r#"(module (memory 1 1) (table 1 funcref) (export "m" (memory 0))
                    (func (table.set 0 (i32.const 0) (ref.null func))))"#,
                "changes a table",
            ),
            (r#"(module (func (export "f")))"#, "has no memory"),
        ] {
            assert_eq!(unfit(text), UnfitGuest::Unfit(reason), "{text}");
        }
    }

    #[test]
    fn what_is_no_module_is_refused() {
        for bytes in [&b""[..], b"\0asm", b"not wasm at all", b"\0asm\x01\0\0\0\x05\xff"] {
            assert!(GuestImage::try_new(bytes).is_err(), "{bytes:?}");
        }
    }
}
