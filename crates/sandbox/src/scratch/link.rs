//! Puts the quota in front of those functions of `wasi:filesystem` that take room or give it back. All else goes to
//! wasmtime's own implementation.

use std::io;

use bytes::Bytes;
use wasmtime::component::{Linker, Resource};
use wasmtime::{Result, StoreContextMut};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynOutputStream, FsResult, OutputStream, Pollable, StreamError, StreamResult};

use super::quota::{ENTRY, Quota};
use crate::host::Host;

/// The interface as this version of wasmtime links it.
const TYPES: &str = "wasi:filesystem/types@0.2.12";
/// Room below which a stream measures the folder before it goes on.
const AHEAD: u64 = 64 << 10;
/// "No space left on device".
const ENOSPC: i32 = 28;

type Answer<T> = Result<(Result<T, ErrorCode>,)>;
type Descriptors = Resource<Descriptor>;

/// Replaces what needs to be counted. The linker must have `wasi:filesystem` already.
pub(crate) fn enforce_quota(linker: &mut Linker<Host>) -> Result<()> {
    linker.allow_shadowing(true);
    let mut types = linker.instance(TYPES)?;
    types.func_wrap_async(
        "[method]descriptor.write",
        |mut store: StoreContextMut<'_, Host>, (file, bytes, offset): (Descriptors, Vec<u8>, u64)| {
            Box::new(async move {
                if !admit(&store, bytes.len() as u64).await {
                    return full();
                }
                answer(view(&mut store).write(file, bytes, offset).await)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.set-size",
        |mut store: StoreContextMut<'_, Host>, (file, size): (Descriptors, u64)| {
            Box::new(async move {
                if !admit(&store, size).await {
                    return full();
                }
                freed(&store);
                answer(view(&mut store).set_size(file, size).await)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store: StoreContextMut<'_, Host>,
         (folder, path_flags, path, open, flags): (Descriptors, PathFlags, String, OpenFlags, DescriptorFlags)| {
            Box::new(async move {
                if open.contains(OpenFlags::CREATE) && !admit(&store, ENTRY).await {
                    return full();
                }
                if open.contains(OpenFlags::TRUNCATE) {
                    freed(&store);
                }
                let opened = view(&mut store).open_at(folder, path_flags, path, open, flags).await;
                if let Ok(opened) = &opened {
                    register(&mut store, opened)?;
                }
                answer(opened)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.create-directory-at",
        |mut store: StoreContextMut<'_, Host>, (folder, path): (Descriptors, String)| {
            Box::new(async move {
                if !admit(&store, ENTRY).await {
                    return full();
                }
                answer(view(&mut store).create_directory_at(folder, path).await)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.symlink-at",
        |mut store: StoreContextMut<'_, Host>, (folder, old, new): (Descriptors, String, String)| {
            Box::new(async move {
                if !admit(&store, ENTRY).await {
                    return full();
                }
                answer(view(&mut store).symlink_at(folder, old, new).await)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.link-at",
        |mut store: StoreContextMut<'_, Host>,
         (folder, flags, old, target, new): (Descriptors, PathFlags, String, Descriptors, String)| {
            Box::new(async move {
                if !admit(&store, ENTRY).await {
                    return full();
                }
                answer(view(&mut store).link_at(folder, flags, old, target, new).await)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.rename-at",
        |mut store: StoreContextMut<'_, Host>,
         (folder, old, target, new): (Descriptors, String, Descriptors, String)| {
            Box::new(async move {
                freed(&store);
                answer(view(&mut store).rename_at(folder, old, target, new).await)
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.unlink-file-at",
        |mut store: StoreContextMut<'_, Host>, (folder, path): (Descriptors, String)| {
            Box::new(async move {
                freed(&store);
                answer(view(&mut store).unlink_file_at(folder, path).await)
            })
        },
    )?;
    types.func_wrap(
        "[method]descriptor.write-via-stream",
        |mut store: StoreContextMut<'_, Host>, (file, offset): (Descriptors, u64)| {
            let stream = view(&mut store).write_via_stream(file, offset);
            metered(&mut store, stream)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.append-via-stream",
        |mut store: StoreContextMut<'_, Host>, (file,): (Descriptors,)| {
            let stream = view(&mut store).append_via_stream(file);
            metered(&mut store, stream)
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn view<'a>(store: &'a mut StoreContextMut<'_, Host>) -> WasiFilesystemCtxView<'a> {
    store.data_mut().filesystem()
}

/// The quota; an instance without a folder has nothing that could be written to.
fn quota(store: &StoreContextMut<'_, Host>) -> Option<Quota> {
    store.data().quota().cloned()
}

fn admit(store: &StoreContextMut<'_, Host>, bytes: u64) -> impl Future<Output = bool> + Send + use<> {
    let quota = quota(store);
    async move {
        match quota {
            Some(quota) => quota.admit(bytes).await,
            None => true,
        }
    }
}

fn freed(store: &StoreContextMut<'_, Host>) {
    if let Some(quota) = store.data().quota() {
        quota.freed();
    }
}

fn register(store: &mut StoreContextMut<'_, Host>, opened: &Descriptors) -> Result<()> {
    let Some(quota) = quota(store) else { return Ok(()) };
    if let Descriptor::File(file) = view(store).table.get(opened)? {
        quota.opened(&file.file);
    }
    Ok(())
}

fn full<T>() -> Answer<T> {
    Ok((Err(ErrorCode::InsufficientSpace),))
}

fn answer<T>(result: FsResult<T>) -> Answer<T> {
    match result {
        Ok(value) => Ok((Ok(value),)),
        Err(error) => Ok((Err(error.downcast()?),)),
    }
}

/// Puts a meter around a stream that was just made.
fn metered(
    store: &mut StoreContextMut<'_, Host>,
    stream: FsResult<Resource<DynOutputStream>>,
) -> Answer<Resource<DynOutputStream>> {
    if let (Ok(stream), Some(quota)) = (&stream, quota(store)) {
        let slot = view(store).table.get_mut(stream)?;
        // The stream is taken out for a moment to be put into its meter.
        let inner = std::mem::replace(slot, Box::new(wasmtime_wasi::p2::pipe::SinkOutputStream));
        *slot = Box::new(Metered { inner, quota });
    }
    answer(stream)
}

/// A file's stream that takes from the quota what it writes.
struct Metered {
    inner: DynOutputStream,
    quota: Quota,
}

#[async_trait]
impl Pollable for Metered {
    async fn ready(&mut self) {
        if self.quota.short_of(AHEAD) {
            self.quota.settle().await;
        }
        self.inner.ready().await;
    }
}

#[async_trait]
impl OutputStream for Metered {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if !self.quota.charge(bytes.len() as u64) {
            return Err(StreamError::LastOperationFailed(io::Error::from_raw_os_error(ENOSPC).into()));
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
