//! Members of an argument, with their path for messages.

use crate::Invalid;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// An object that a function passed.
pub(super) struct Properties<'a> {
    path: String,
    members: &'a Map<String, Value>,
}

/// Says what is wrong with `property`.
pub(super) fn fault(property: impl Into<String>, fault: &'static str) -> Invalid {
    Invalid::OriginRewrite { property: property.into(), fault }
}

impl<'a> Properties<'a> {
    pub(super) fn of(value: &'a Value, path: impl Into<String>) -> Result<Self, Invalid> {
        let path = path.into();
        match value.as_object() {
            Some(members) => Ok(Self { path, members }),
            None => Err(fault(path, "must be an object")),
        }
    }

    fn path(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }

    /// Fails because of a member.
    pub(super) fn fault<T>(&self, name: &str, what: &'static str) -> Result<T, Invalid> {
        Err(fault(self.path(name), what))
    }

    /// Names of all members.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.members.keys().map(String::as_str)
    }

    /// `null` counts as left out.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Invalid> {
        self.get(name).map(|value| Self::of(value, self.path(name))).transpose()
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&'a [Value]>, Invalid> {
        let list = |value: &'a Value| value.as_array().map(Vec::as_slice);
        self.get(name).map(|value| list(value).ok_or_else(|| fault(self.path(name), "must be a list"))).transpose()
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Invalid> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| fault(self.path(name), "must be a string"));
        self.get(name).map(text).transpose()
    }

    pub(super) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, Invalid> {
        let Some(list) = self.list(name)? else { return Ok(None) };
        let texts: Option<Vec<String>> = list.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        texts.map(Some).ok_or_else(|| fault(self.path(name), "must be a list of strings"))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Invalid> {
        let flag = |value: &Value| value.as_bool().ok_or_else(|| fault(self.path(name), "must be true or false"));
        self.get(name).map(flag).transpose()
    }

    /// A whole number; `expected` says which.
    pub(super) fn number(
        &self,
        name: &str,
        range: RangeInclusive<u64>,
        expected: &'static str,
    ) -> Result<Option<u64>, Invalid> {
        let number = |value: &Value| {
            value.as_u64().filter(|n| range.contains(n)).ok_or_else(|| fault(self.path(name), expected))
        };
        self.get(name).map(number).transpose()
    }

    /// A DNS name: at most 253 characters, without a port, and no address.
    pub(super) fn host(&self, name: &str) -> Result<Option<String>, Invalid> {
        let host = self.text(name)?;
        if host.is_some_and(|host| !is_host(host)) {
            return self.fault(name, "must be a DNS name of at most 253 characters, without a port, and no address");
        }
        Ok(host.map(str::to_owned))
    }
}

/// Labels of letters, digits, `-` and `_`, the last of them not all digits.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let number = name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
    name.len() <= 253 && name.split('.').all(label) && !number
}
