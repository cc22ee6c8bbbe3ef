//! Sets of names.

/// Which names of query parameters or cookies are meant. Names are case-sensitive.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum NameSet {
    /// None.
    #[default]
    None,
    /// All, in the viewer's order.
    All,
    /// The listed ones.
    Only(Vec<String>),
    /// All but the listed ones.
    Except(Vec<String>),
}

impl NameSet {
    /// Whether `name` is in the set.
    pub fn contains(&self, name: &str) -> bool {
        match self {
            NameSet::None => false,
            NameSet::All => true,
            NameSet::Only(names) => names.iter().any(|n| n == name),
            NameSet::Except(names) => names.iter().all(|n| n != name),
        }
    }
}
