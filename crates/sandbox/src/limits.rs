//! One budget for all memories and tables of an instance.

use wasmtime::{Error, ResourceLimiter, Result};

use crate::engine::{CORE_INSTANCES, MEMORIES, TABLE_ELEMENTS, TABLES};

/// What an instance may have, has, and was refused. Limits of one memory each would let many memories add up.
#[derive(Debug)]
pub(crate) struct Limits {
    limit: usize,
    used: usize,
    /// Size of the step that was allowed last, to take it back when the system refuses it.
    last: usize,
    elements: usize,
    refused: bool,
}

impl Limits {
    /// A budget of `memory` bytes.
    pub(crate) fn new(memory: usize) -> Self {
        Self { limit: memory, used: 0, last: 0, elements: 0, refused: false }
    }

    /// Bytes in all linear memories. They never shrink, so this is the peak too.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether more memory was wanted than there is.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }

    /// Forgets an earlier refusal: a guest may try, fail and carry on.
    pub(crate) fn forgive(&mut self) {
        self.refused = false;
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let step = desired.saturating_sub(current);
        let fits = self.used.checked_add(step).is_some_and(|total| total <= self.limit);
        if fits {
            self.used += step;
            self.last = step;
        } else {
            self.refused = true;
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _error: Error) -> Result<()> {
        self.used -= std::mem::take(&mut self.last);
        self.refused = true;
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> Result<bool> {
        let step = desired.saturating_sub(current);
        let fits = self.elements.checked_add(step).is_some_and(|total| total <= TABLE_ELEMENTS);
        if fits {
            self.elements += step;
        } else {
            self.refused = true;
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        TABLES as usize
    }

    fn memories(&self) -> usize {
        MEMORIES as usize
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn all_memories_of_an_instance_share_one_budget() {
        let mut limits = Limits::new(3 << 20);
        assert!(limits.memory_growing(0, 1 << 20, None).unwrap());
        assert!(limits.memory_growing(0, 2 << 20, None).unwrap());
        assert!(!limits.refused());
        assert!(!limits.memory_growing(1 << 20, (1 << 20) + 65536, None).unwrap());
        assert!(limits.refused());
        assert_eq!(limits.used(), 3 << 20);
        assert!(!limits.memory_growing(0, usize::MAX, None).unwrap());
    }

    #[test]
    fn a_step_that_the_system_refuses_is_given_back() {
        let mut limits = Limits::new(2 << 20);
        assert!(limits.memory_growing(0, 1 << 20, None).unwrap());
        assert!(limits.memory_growing(1 << 20, 2 << 20, None).unwrap());
        limits.memory_grow_failed(Error::msg("no")).unwrap();
        assert_eq!(limits.used(), 1 << 20);
    }

    #[test]
    fn table_elements_are_counted_together() {
        let mut limits = Limits::new(0);
        assert!(limits.table_growing(0, TABLE_ELEMENTS, None).unwrap());
        assert!(!limits.table_growing(0, 1, None).unwrap());
    }
}
