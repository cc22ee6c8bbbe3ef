//! What one instance holds of the host: its WASI context, limits, deadline and folder.

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{Engine, Result, Store, StoreContextMut, UpdateDeadline};
use wasmtime_wasi::filesystem::FsPerms;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings;
use crate::client::{Client, Outgoing};
use crate::limits::Limits;
use crate::logs::Logs;
use crate::scratch::{self, Folder, Quota};
use crate::secrets::Secrets;

/// Handles of one instance: descriptors, streams, requests (`lambda-at-edge.md` section 8: 1,024 descriptors).
const HANDLES: usize = 1024;
/// Bytes that a guest may hand to the host in one call; what it returns included.
const TRANSFER: usize = 16 << 20;
/// Bytes of randomness in one call.
const RANDOM: u64 = 1 << 20;

/// The state of one store.
pub(crate) struct Host {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    pub(crate) outgoing: Outgoing,
    pub(crate) secrets: Secrets,
    quota: Option<Quota>,
    /// When the running call ends.
    deadline: Instant,
    pub(crate) limits: Limits,
    pub(crate) logs: Logs,
    /// Deleted with the store.
    _folder: Option<Folder>,
}

/// What a store is made with.
pub(crate) struct Parts<'a> {
    pub(crate) memory: usize,
    pub(crate) environment: &'a [(String, String)],
    /// The folder for `/tmp` and its bound in bytes, where the component uses files.
    pub(crate) folder: Option<(Folder, u64)>,
    pub(crate) client: Arc<Client>,
    pub(crate) secrets: Secrets,
}

/// The deadline of a call has passed.
#[derive(Debug, thiserror::Error)]
#[error("deadline passed")]
pub(crate) struct DeadlinePassed;

/// Makes a store.
pub(crate) fn store(engine: &Engine, parts: Parts<'_>) -> Result<Store<Host>> {
    let logs = Logs::default();
    let mut wasi = WasiCtx::builder();
    wasi.stdout(logs.clone()).stderr(logs.clone()).envs(parts.environment).max_random_size(RANDOM);
    // Addresses are refused by wasmtime's default; here it is said, so that no default can change it.
    wasi.socket_addr_check(|_, _| Box::pin(async { false }));
    wasi.allow_ip_name_lookup(false).allow_tcp(false).allow_udp(false);
    let mut quota = None;
    if let Some((folder, bytes)) = &parts.folder {
        wasi.preopened_dir(folder.path(), "/tmp", FsPerms::ReadWrite)?;
        wasi.initial_cwd("/tmp");
        quota = Some(Quota::new(folder.path(), *bytes));
    }
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    let host = Host {
        wasi: wasi.build(),
        http: WasiHttpCtx::new(),
        table,
        outgoing: Outgoing::new(parts.client, logs.clone()),
        secrets: parts.secrets,
        quota,
        deadline: Instant::now(),
        limits: Limits::new(parts.memory),
        logs,
        _folder: parts.folder.map(|(folder, _)| folder),
    };
    let mut store = Store::new(engine, host);
    store.limiter(|host| &mut host.limits);
    store.set_hostcall_fuel(TRANSFER);
    // At each tick a call that computes looks at its deadline and lets others run.
    store.epoch_deadline_callback(|store: StoreContextMut<'_, Host>| match Instant::now() < store.data().deadline {
        true => Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))),
        false => Err(DeadlinePassed.into()),
    });
    Ok(store)
}

/// Prepares for a stretch of guest code that ends at `deadline`.
pub(crate) fn arm(store: &mut Store<Host>, deadline: Instant) {
    let host = store.data_mut();
    host.deadline = deadline;
    host.limits.forgive();
    host.outgoing.begin();
    store.set_epoch_deadline(1);
}

/// Everything that a component may import.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    bindings::secrets::add_to_linker::<Host, HasSelf<Host>>(&mut linker, |host| host)?;
    scratch::enforce_quota(&mut linker)?;
    Ok(linker)
}

impl Host {
    /// The bound of the instance's folder, where it has one.
    pub(crate) fn quota(&self) -> Option<&Quota> {
        self.quota.as_ref()
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Host {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
