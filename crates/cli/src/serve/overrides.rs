//! What the command line has instead of the configuration, at the start and at each reload.

use rimward_config::Node;
use std::net::SocketAddr;

/// `--listen` and `--admin`.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Instead of `node.listen`, unless empty.
    pub listen: Vec<SocketAddr>,
    /// Instead of `node.admin`.
    pub admin: Option<SocketAddr>,
}

impl Overrides {
    /// Puts them in.
    pub fn apply(&self, node: &mut Node) {
        if !self.listen.is_empty() {
            node.listen.clone_from(&self.listen);
        }
        node.admin = self.admin.or(node.admin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_given_stays() {
        let mut node = Node::default();
        Overrides::default().apply(&mut node);
        assert_eq!(node, Node::default());
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        Overrides { listen: vec![address], admin: Some(address) }.apply(&mut node);
        assert_eq!((node.listen, node.admin), (vec![address], Some(address)));
    }
}
