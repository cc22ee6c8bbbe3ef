//! The sandbox as the node uses it: components in, outcomes out. `guests/probe` is the function that tries what its
//! path says; hostile components are written down as text.
#![allow(clippy::unwrap_used)]

mod adversaries;
mod environment;
mod files;
mod flavours;
mod hostile;
mod init;
mod instances;
mod javascript;
mod network;
mod publish;
mod support;
mod walls;
