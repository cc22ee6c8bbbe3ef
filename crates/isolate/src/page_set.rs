//! A set of pages of one memory: a bit for each.

use std::ops::Range;

const BITS: u32 = u64::BITS;

/// Numbers of pages, below a bound that is set when it is made.
#[derive(Debug, Clone)]
pub(crate) struct PageSet(Box<[u64]>);

impl PageSet {
    /// Has room for that many pages, and holds none.
    pub(crate) fn new(pages: usize) -> Self {
        Self(vec![0; pages.div_ceil(BITS as usize)].into())
    }

    /// Takes all out.
    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    /// Puts page `n` in.
    pub(crate) fn insert(&mut self, n: u32) {
        self.0[(n / BITS) as usize] |= 1 << (n % BITS);
    }

    /// Puts these in; usually they are few.
    pub(crate) fn extend(&mut self, pages: Range<u32>) {
        pages.for_each(|n| self.insert(n));
    }

    /// Puts all of another set of this memory in.
    pub(crate) fn unite(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(here, there)| *here |= there);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// All, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let first = at as u32 * BITS;
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(first + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::PageSet;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_a_set_in_order(pages in proptest::collection::vec(0u32..300, 0..100), others in proptest::collection::vec(0u32..300, 0..100)) {
            let (mut set, mut other) = (PageSet::new(300), PageSet::new(300));
            pages.iter().for_each(|n| set.insert(*n));
            others.iter().for_each(|n| other.extend(*n..*n + 1));
            set.unite(&other);
            let expected: BTreeSet<u32> = pages.into_iter().chain(others).collect();
            prop_assert!(set.iter().eq(expected.iter().copied()));
            prop_assert_eq!(set.len(), expected.len());
            set.clear();
            prop_assert_eq!(set.iter().next(), None);
        }
    }
}
