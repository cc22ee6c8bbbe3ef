//! The viewer tier from outside: each function that tries to break out meets its wall, and the next request is right.
#![allow(clippy::unwrap_used)]

mod codec;
mod hostile;
mod limits;
mod lying_guest;
mod published;
mod state;
mod support;
