//! rimward
fn main() {}
