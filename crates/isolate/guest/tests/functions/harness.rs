//! A function under test.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use rimward_guest::{
    engine::{Engine, Entry, Runtime, Terms, TopLevel},
    host::native::{self, Answers},
};
use rimward_wire::{
    abi::{Find, Loaded, Signature, Verified},
    event::Event,
    reply::{Body, Failure, Reply},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// 2.0, with a store, top level at publish.
pub const TERMS: Terms = Terms { runtime: Runtime::V2, top_level: TopLevel::Now, store: true, entry: Entry::Handler };

/// A loaded function.
pub struct Function {
    engine: Engine,
}

/// A failed load or run: category as text, message, line, column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub failure: Failure,
    pub message: String,
    pub line: u32,
    pub column: u32,
}

fn host() -> Answers {
    let store = [("greeting", "hello"), ("flags", r#"{"on":true,"n":3}"#), ("umlaut", "größe")];
    let store: BTreeMap<_, _> = store.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec())).collect();
    let found = [
        (Find::Location, "name", "FRA"),
        (Find::Location, "serverIp", "192.0.2.1"),
        (Find::Location, "region", "eu-central-1"),
        (Find::Environment, "", r#"{"STAGE":"test"}"#),
        (Find::Secret, "token-key", "s3cret"),
    ];
    let found = found.map(|(what, name, value)| ((what as u32, name.to_owned()), value.as_bytes().to_vec()));
    Answers { now_ms: 1_700_000_000_123.0, seed: 42, store: Some(store), digest, found: found.into(), verify }
}

/// A set with the keys `one` and, for EdDSA, `two`; a signature is right when it says so.
fn verify(algorithm: u32, key: &[u8], data: &[u8], signature: &[u8]) -> i32 {
    let known = key == b"one" || (key == b"two" && algorithm == Signature::EdDsa as u32) || key.is_empty();
    let answer = match (known, key) {
        (_, b"none") => Verified::NoKeySet,
        (false, _) => Verified::NoKey,
        (true, _) if signature == b"right" && data.contains(&b'.') => Verified::Yes,
        (true, _) => Verified::No,
    };
    answer as i32
}

fn digest(algorithm: u32, key: Option<&[u8]>, data: &[u8]) -> Vec<u8> {
    fn keyed<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
        mac.update(data);
        mac.finalize().into_bytes().to_vec()
    }
    match (algorithm, key) {
        (0, None) => Md5::digest(data).to_vec(),
        (1, None) => Sha1::digest(data).to_vec(),
        (_, None) => Sha256::digest(data).to_vec(),
        (0, Some(key)) => keyed::<Hmac<Md5>>(key, data),
        (1, Some(key)) => keyed::<Hmac<Sha1>>(key, data),
        (_, Some(key)) => keyed::<Hmac<Sha256>>(key, data),
    }
}

impl Function {
    /// Loads a function that must load.
    pub fn new(source: &str) -> Self {
        let (function, loaded) = Self::load(source, TERMS);
        assert_eq!(loaded.map_err(|(_, failed)| failed), Ok(Loaded::Ready));
        function
    }

    pub fn load(source: &str, terms: Terms) -> (Self, Result<Loaded, (Loaded, Failed)>) {
        native::set(host());
        let mut function = Self { engine: Engine::new().unwrap() };
        let mut out = Vec::new();
        let loaded = function.engine.load(source.as_bytes(), terms, &mut out);
        function.engine.settle();
        let result = if out.is_empty() { Ok(loaded) } else { Err((loaded, failed(&out))) };
        (function, result)
    }

    /// The reply to an event, as bytes.
    pub fn reply(&mut self, event: &Event<'_>) -> Vec<u8> {
        let (mut bytes, mut out) = (Vec::new(), Vec::new());
        event.write(&mut bytes);
        self.engine.handle(bytes.leak(), &mut out);
        out
    }

    /// The reply to any message, as bytes.
    pub fn reply_to(&mut self, message: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        self.engine.handle(message.leak(), &mut out);
        out
    }

    /// The body of the response that the function must give.
    pub fn body(&mut self, event: &Event<'_>) -> String {
        let out = self.reply(event);
        match Reply::read(&out).unwrap() {
            Reply::Response { body: Body::Text(text), .. } => text.to_owned(),
            other => panic!("{other:?}"),
        }
    }

    /// The failure that the function must meet.
    pub fn failure(&mut self, event: &Event<'_>) -> Failed {
        failed(&self.reply(event))
    }
}

fn failed(reply: &[u8]) -> Failed {
    match Reply::read(reply).unwrap() {
        Reply::Failed { failure, message, line, column } => {
            Failed { failure, message: message.to_owned(), line, column }
        }
        other => panic!("{other:?}"),
    }
}

/// What an expression gives, as text; `event` may be used. A throw gives its text.
pub fn eval(expression: &str) -> String {
    eval_with("", expression)
}

/// The same with code at the top level before it.
pub fn eval_with(top_level: &str, expression: &str) -> String {
    let source = format!(
        "{top_level}\nasync function handler(event) {{
            try {{ return {{ statusCode: 200, body: String(await ({expression})) }}; }}
            catch (e) {{ return {{ statusCode: 200, body: String(e) }}; }}
        }}"
    );
    Function::new(&source).body(&Event::default())
}
