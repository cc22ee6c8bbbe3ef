//! Which objects are kept, each policy in the least code.

use std::collections::{HashMap, HashSet};

/// Decides what is kept.
pub(crate) trait Policy {
    /// Asks for an object; tells whether it is there. It may be there afterwards.
    fn ask(&mut self, key: u64, size: u32) -> bool;
    /// Bytes that are kept.
    fn bytes(&self) -> usize;
}

const NONE: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct Entry {
    key: u64,
    size: u32,
    uses: u8,
    list: u8,
    newer: u32,
    older: u32,
}

#[derive(Clone, Copy)]
struct List {
    newest: u32,
    oldest: u32,
    bytes: usize,
}

/// Objects in up to three lists.
struct Lists {
    nodes: Vec<Entry>,
    free: Vec<u32>,
    places: HashMap<u64, u32>,
    lists: [List; 3],
}

impl Lists {
    fn new() -> Self {
        let list = List { newest: NONE, oldest: NONE, bytes: 0 };
        Self { nodes: Vec::new(), free: Vec::new(), places: HashMap::new(), lists: [list; 3] }
    }

    fn bytes(&self) -> usize {
        self.lists.iter().map(|list| list.bytes).sum()
    }

    fn link(&mut self, at: u32, list: u8) {
        let lists = &mut self.lists[list as usize];
        let newest = std::mem::replace(&mut lists.newest, at);
        lists.bytes += self.nodes[at as usize].size as usize;
        if newest == NONE {
            lists.oldest = at;
        } else {
            self.nodes[newest as usize].newer = at;
        }
        let node = &mut self.nodes[at as usize];
        (node.list, node.newer, node.older) = (list, NONE, newest);
    }

    fn unlink(&mut self, at: u32) {
        let Entry { list, newer, older, size, .. } = self.nodes[at as usize];
        let list = &mut self.lists[list as usize];
        list.bytes -= size as usize;
        if newer == NONE {
            list.newest = older;
        } else {
            self.nodes[newer as usize].older = older;
        }
        if older == NONE {
            list.oldest = newer;
        } else {
            self.nodes[older as usize].newer = newer;
        }
    }

    fn insert(&mut self, key: u64, size: u32, list: u8) {
        let node = Entry { key, size, uses: 0, list, newer: NONE, older: NONE };
        let at = match self.free.pop() {
            Some(at) => {
                self.nodes[at as usize] = node;
                at
            }
            None => {
                self.nodes.push(node);
                self.nodes.len() as u32 - 1
            }
        };
        self.places.insert(key, at);
        self.link(at, list);
    }

    fn move_to(&mut self, at: u32, list: u8) {
        self.unlink(at);
        self.link(at, list);
    }

    fn remove(&mut self, at: u32) -> Entry {
        self.unlink(at);
        let node = self.nodes[at as usize];
        self.places.remove(&node.key);
        self.free.push(at);
        node
    }

    fn oldest(&self, list: u8) -> Option<u32> {
        Some(self.lists[list as usize].oldest).filter(|at| *at != NONE)
    }
}

/// Counts of requests, as the node keeps them (count-min, halved from time to time).
struct Sketch {
    counts: Vec<u8>,
    added: usize,
}

impl Sketch {
    fn new() -> Self {
        Self { counts: vec![0; 1 << 19], added: 0 }
    }

    fn places(&self, key: u64) -> [usize; 4] {
        let hash = key.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        let step = (hash >> 32) | 1;
        [0u64, 1, 2, 3].map(|row| hash.wrapping_add(row * step) as usize & (self.counts.len() - 1))
    }

    fn estimate(&self, key: u64) -> u8 {
        self.places(key).iter().map(|at| self.counts[*at]).min().unwrap_or(0)
    }

    fn add(&mut self, key: u64) {
        let least = self.estimate(key);
        if least < u8::MAX {
            for at in self.places(key) {
                if self.counts[at] == least {
                    self.counts[at] += 1;
                }
            }
        }
        self.added += 1;
        if self.added >= 8 * self.counts.len() {
            self.added = 0;
            self.counts.iter_mut().for_each(|count| *count /= 2);
        }
    }
}

/// The least recently used goes.
pub(crate) struct Lru {
    lists: Lists,
    memory: usize,
}

impl Lru {
    pub(crate) fn new(memory: usize) -> Self {
        Self { lists: Lists::new(), memory }
    }
}

impl Policy for Lru {
    fn ask(&mut self, key: u64, size: u32) -> bool {
        if let Some(&at) = self.lists.places.get(&key) {
            self.lists.move_to(at, 0);
            return true;
        }
        while self.lists.bytes() + size as usize > self.memory {
            let Some(at) = self.lists.oldest(0) else { return false };
            self.lists.remove(at);
        }
        self.lists.insert(key, size, 0);
        false
    }

    fn bytes(&self) -> usize {
        self.lists.bytes()
    }
}

/// Yang and others, "FIFO queues are all you need for cache eviction" (2023): a small queue, a main one, and one of keys
/// that were lately in the small one.
pub(crate) struct S3Fifo {
    lists: Lists,
    memory: usize,
    ghosts: Lists,
}

const SMALL: u8 = 0;
const MAIN: u8 = 1;

impl S3Fifo {
    pub(crate) fn new(memory: usize) -> Self {
        Self { lists: Lists::new(), memory, ghosts: Lists::new() }
    }

    fn evict(&mut self) {
        if self.lists.lists[SMALL as usize].bytes > self.memory / 10
            && let Some(at) = self.lists.oldest(SMALL)
        {
            if self.lists.nodes[at as usize].uses > 1 {
                self.lists.nodes[at as usize].uses = 0;
                self.lists.move_to(at, MAIN);
                return;
            }
            let gone = self.lists.remove(at);
            self.ghosts.insert(gone.key, gone.size, 0);
            while self.ghosts.bytes() > self.memory {
                let Some(at) = self.ghosts.oldest(0) else { break };
                self.ghosts.remove(at);
            }
            return;
        }
        let Some(at) = self.lists.oldest(MAIN).or(self.lists.oldest(SMALL)) else { return };
        let node = &mut self.lists.nodes[at as usize];
        if node.uses > 0 {
            node.uses -= 1;
            self.lists.move_to(at, MAIN);
        } else {
            self.lists.remove(at);
        }
    }
}

impl Policy for S3Fifo {
    fn ask(&mut self, key: u64, size: u32) -> bool {
        if let Some(&at) = self.lists.places.get(&key) {
            let uses = &mut self.lists.nodes[at as usize].uses;
            *uses = (*uses + 1).min(3);
            return true;
        }
        while self.lists.bytes() + size as usize > self.memory {
            self.evict();
        }
        let ghost = self.ghosts.places.get(&key).copied();
        if let Some(at) = ghost {
            self.ghosts.remove(at);
        }
        self.lists.insert(key, size, if ghost.is_some() { MAIN } else { SMALL });
        false
    }

    fn bytes(&self) -> usize {
        self.lists.bytes()
    }
}

/// Einziger, Friedman and Manes, "TinyLFU" (2017), with a window: what leaves the window is kept if it was asked for
/// more often than what would have to go for it.
pub(crate) struct TinyLfu {
    lists: Lists,
    memory: usize,
    sketch: Sketch,
}

const WINDOW: u8 = 0;
const ONCE: u8 = 1;
const OFTEN: u8 = 2;

impl TinyLfu {
    pub(crate) fn new(memory: usize) -> Self {
        Self { lists: Lists::new(), memory, sketch: Sketch::new() }
    }

    fn make_room(&mut self, size: usize) {
        while self.lists.bytes() + size > self.memory {
            let candidate =
                self.lists.oldest(WINDOW).filter(|_| self.lists.lists[WINDOW as usize].bytes > self.memory / 100);
            let victim = self.lists.oldest(ONCE).or(self.lists.oldest(OFTEN)).or(self.lists.oldest(WINDOW));
            let Some(victim) = victim else { return };
            let Some(candidate) = candidate else {
                self.lists.remove(victim);
                continue;
            };
            let estimate = |at: u32| self.sketch.estimate(self.lists.nodes[at as usize].key);
            if self.lists.nodes[victim as usize].list == WINDOW || estimate(candidate) <= estimate(victim) {
                self.lists.remove(candidate);
            } else {
                self.lists.remove(victim);
                self.lists.move_to(candidate, ONCE);
            }
        }
        while self.lists.lists[WINDOW as usize].bytes > self.memory / 100 {
            let Some(at) = self.lists.oldest(WINDOW) else { break };
            self.lists.move_to(at, ONCE);
        }
    }
}

impl Policy for TinyLfu {
    fn ask(&mut self, key: u64, size: u32) -> bool {
        self.sketch.add(key);
        if let Some(&at) = self.lists.places.get(&key) {
            match self.lists.nodes[at as usize].list {
                WINDOW => self.lists.move_to(at, WINDOW),
                _ => self.lists.move_to(at, OFTEN),
            }
            while self.lists.lists[OFTEN as usize].bytes > self.memory / 5 * 4 {
                let Some(at) = self.lists.oldest(OFTEN) else { break };
                self.lists.move_to(at, ONCE);
            }
            return true;
        }
        self.make_room(size as usize);
        self.lists.insert(key, size, WINDOW);
        false
    }

    fn bytes(&self) -> usize {
        self.lists.bytes()
    }
}

/// The node's rule: S3-FIFO, but one use is enough to be kept, and the keys that were lately in the small queue are two
/// sets of hashes, filled in turns, each with as many keys as make half of the memory.
pub(crate) struct Node {
    lists: Lists,
    memory: usize,
    ghosts: [HashSet<u32>; 2],
    ghost_bytes: usize,
}

fn ghost(key: u64) -> u32 {
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

impl Node {
    pub(crate) fn new(memory: usize) -> Self {
        Self { lists: Lists::new(), memory, ghosts: Default::default(), ghost_bytes: 0 }
    }

    fn evict(&mut self) {
        if self.lists.lists[SMALL as usize].bytes > self.memory / 10
            && let Some(at) = self.lists.oldest(SMALL)
        {
            let uses = &mut self.lists.nodes[at as usize].uses;
            if *uses > 0 {
                *uses = 0;
                self.lists.move_to(at, MAIN);
                return;
            }
            let gone = self.lists.remove(at);
            self.ghosts[0].insert(ghost(gone.key));
            self.ghost_bytes += gone.size as usize;
            if self.ghost_bytes > self.memory / 2 {
                self.ghost_bytes = 0;
                self.ghosts[1] = std::mem::take(&mut self.ghosts[0]);
            }
            return;
        }
        let Some(at) = self.lists.oldest(MAIN).or(self.lists.oldest(SMALL)) else { return };
        let entry = &mut self.lists.nodes[at as usize];
        if entry.uses > 0 {
            entry.uses -= 1;
            self.lists.move_to(at, MAIN);
        } else {
            self.lists.remove(at);
        }
    }
}

impl Policy for Node {
    fn ask(&mut self, key: u64, size: u32) -> bool {
        if let Some(&at) = self.lists.places.get(&key) {
            let uses = &mut self.lists.nodes[at as usize].uses;
            *uses = (*uses + 1).min(3);
            return true;
        }
        while self.lists.bytes() + size as usize > self.memory {
            self.evict();
        }
        let is_known = self.ghosts.iter().any(|ghosts| ghosts.contains(&ghost(key)));
        self.lists.insert(key, size, if is_known { MAIN } else { SMALL });
        false
    }

    fn bytes(&self) -> usize {
        self.lists.bytes()
    }
}
