//! What is compared: one of two caches with memory and disk.

use crate::foyers::Foyer;
use crate::ours::Ours;
use bytes::Bytes;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Foyer,
}

impl Kind {
    /// As the rows name it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ours => "rimward",
            Kind::Foyer => "foyer",
        }
    }
}

/// Bytes of memory and disk, and of the largest object.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub memory: usize,
    pub disk: usize,
    pub object: usize,
}

impl Sizes {
    pub fn mb(memory: usize, disk: usize) -> Self {
        Self { memory: memory << 20, disk: disk << 20, object: 8 << 20 }
    }
}

pub enum Tier {
    Ours(Ours),
    Foyer(Foyer),
}

impl Tier {
    /// Takes requests when this returns.
    pub async fn open(kind: Kind, folder: &Path, sizes: Sizes) -> Self {
        match kind {
            Kind::Ours => Tier::Ours(Ours::open(folder, sizes)),
            Kind::Foyer => Tier::Foyer(Foyer::open(folder, sizes).await),
        }
    }

    /// Waits until all that an earlier run has left is found.
    pub async fn recovered(&self) {
        match self {
            Tier::Ours(ours) => ours.recovered().await,
            // It takes no requests before.
            Tier::Foyer(_) => {}
        }
    }

    /// Stores a body and offers it to the disk.
    pub async fn put(&self, url: &str, tag: Option<&'static str>, body: Bytes) {
        match self {
            Tier::Ours(ours) => ours.put(url, tag, body),
            Tier::Foyer(foyer) => foyer.put(url, body),
        }
    }

    /// All of a body.
    pub async fn get(&self, url: &str) -> Option<Bytes> {
        match self {
            Tier::Ours(ours) => ours.get(url).await,
            Tier::Foyer(foyer) => foyer.get(url).await,
        }
    }

    pub async fn remove(&self, url: &str) {
        match self {
            Tier::Ours(ours) => ours.remove(url),
            Tier::Foyer(foyer) => foyer.remove(url),
        }
    }

    /// Waits until what was begun is on the disk, as far as the disk allows.
    pub async fn settle(&self) {
        match self {
            Tier::Ours(ours) => ours.settle().await,
            Tier::Foyer(foyer) => foyer.settle().await,
        }
    }

    /// An orderly end.
    pub async fn close(self) {
        match self {
            Tier::Ours(ours) => ours.close().await,
            Tier::Foyer(foyer) => foyer.close().await,
        }
    }
}
