//! An event, as it is on disk.

use crate::destination::Destination;
use rimward_types::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An event that waits for its next step.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) function: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) qualifier: Option<String>,
    #[serde(with = "millis")]
    pub(super) accepted: Timestamp,
    /// When the next step is due.
    #[serde(with = "millis")]
    pub(super) due: Timestamp,
    /// Attempts in which the function ran.
    pub(super) attempts: u32,
    /// Attempts in a row for which there was no room.
    pub(super) waits: u32,
    /// Functions that it has come through as a record.
    pub(super) hops: u32,
    pub(super) payload: Box<RawValue>,
    /// Once it is done: what is left to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delivery: Option<Delivery>,
}

/// A record on its way to a destination.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Delivery {
    pub(super) to: Destination,
    pub(super) record: String,
    #[serde(with = "millis")]
    pub(super) since: Timestamp,
    pub(super) tries: u32,
}

impl Event {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Texts, numbers and JSON that was read as such: serialising cannot fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

mod millis {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(at.as_millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        u64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}
