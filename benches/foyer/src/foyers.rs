//! foyer, configured for the same: written when stored, through the page cache, with the log of removals that keeps what
//! was removed from coming back.

use crate::tier::Sizes;
use bytes::Bytes;
use foyer::{BlockEngineConfig, DeviceBuilder, FsDeviceBuilder, HybridCache, HybridCacheBuilder, HybridCachePolicy};
use std::path::Path;

/// Bytes of key and bookkeeping that memory is charged with for each object, beside its value.
const BESIDE: usize = 128;

pub struct Foyer {
    pub cache: HybridCache<String, Bytes>,
}

impl Foyer {
    pub async fn open(folder: &Path, sizes: Sizes) -> Self {
        Self::try_open(folder, sizes).await.expect("foyer opens")
    }

    async fn try_open(folder: &Path, sizes: Sizes) -> foyer::Result<Self> {
        let device = FsDeviceBuilder::new(folder).with_capacity(sizes.disk).build()?;
        // An entry must fit into a block and into the buffer of a flusher.
        let block = (sizes.object + (1 << 20)).max(16 << 20);
        let engine = BlockEngineConfig::new(device)
            .with_block_size(block)
            .with_buffer_pool_size(block)
            .with_submit_queue_size_threshold(2 * block)
            .with_tombstone_log(true);
        let cache = HybridCacheBuilder::new()
            .with_policy(HybridCachePolicy::WriteOnInsertion)
            .memory(sizes.memory)
            .with_weighter(|key: &String, value: &Bytes| key.len() + value.len() + BESIDE)
            .storage()
            .with_engine_config(engine)
            .build()
            .await?;
        Ok(Self { cache })
    }

    pub fn put(&self, url: &str, body: Bytes) {
        self.cache.insert(url.to_owned(), body);
    }

    pub async fn get(&self, url: &str) -> Option<Bytes> {
        self.cache.get(&url.to_owned()).await.ok().flatten().map(|entry| entry.value().clone())
    }

    pub fn remove(&self, url: &str) {
        self.cache.remove(&url.to_owned());
    }

    pub async fn settle(&self) {
        self.cache.storage().wait().await;
    }

    pub async fn close(self) {
        if let Err(error) = self.cache.close().await {
            eprintln!("foyer does not close: {error}");
        }
    }
}
