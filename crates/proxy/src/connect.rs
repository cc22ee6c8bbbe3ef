//! A connection to a distribution with mutual TLS: what its function decides, and the record that it leaves
//! (`cloudfront-functions.md` section 13).

use crate::live::Door;
use crate::pipeline::Proxy;
use rimward_hooks::{Connected, ConnectionCall, ConnectionRan};
use rimward_telemetry::{ConnectionFunctionRecord, ConnectionRecord, OneLine};
use rimward_types::connection::ViewerCertificate;
use rimward_types::{Connection, RequestId};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// A connection whose handshake is over.
#[derive(Debug)]
pub struct Arrived {
    /// Id of the distribution that asked for a certificate.
    pub distribution: Arc<str>,
    /// The viewer's address.
    pub peer: SocketAddr,
    /// The listener's address.
    pub local: SocketAddr,
    /// The server name that the viewer asked for.
    pub server_name: Option<String>,
    /// The certificate that it sent; verified where there is a connection.
    pub certificate: Option<Arc<ViewerCertificate>>,
    /// The connection, or the word for why there is none.
    pub outcome: Result<Arc<Connection>, &'static str>,
    /// Time of the handshake.
    pub handshake: Duration,
}

/// The words of the record.
const SUCCESS: &str = "Success";
const DENIED: &str = "ConnectionFunctionDenied";
const ERROR: &str = "ConnectionFunctionError";

impl Proxy {
    /// Whether the connection may go on; records it. Blocks for as long as a function may run.
    pub fn connect(&self, arrived: Arrived) -> bool {
        let id = RequestId::random(&*self.entropy);
        let live = self.live();
        let door = live.door_of(&arrived.distribution).filter(|_| arrived.outcome.is_ok());
        let ran = door.map(|door| self.ask(door, &arrived, &id));
        let result = match (&arrived.outcome, &ran) {
            (Err(why), _) => *why,
            (Ok(_), None) => SUCCESS,
            (Ok(_), Some(ran)) => match &ran.decided {
                Ok(decided) if decided.allowed => SUCCESS,
                Ok(_) => DENIED,
                Err(_) => ERROR,
            },
        };
        let Arrived { distribution, peer, local, server_name, certificate, outcome, handshake } = arrived;
        let tls = outcome.ok().and_then(|connection| {
            let tls = connection.tls.as_ref()?;
            Some((tls.version, tls.cipher.clone()))
        });
        self.records.take_connection(ConnectionRecord {
            id,
            end: self.clock.now(),
            viewer: peer,
            server: local,
            distribution,
            server_name,
            tls,
            certificate,
            result,
            handshake,
            function: ran.map(|ran| recorded(ran, result)),
        });
        result == SUCCESS
    }

    fn ask(&self, door: &Door, arrived: &Arrived, id: &RequestId) -> ConnectionRan {
        let mut seed = [0; 8];
        self.entropy.fill(&mut seed);
        let client_ip = arrived.peer.ip().to_string();
        let connected = Connected {
            certificate: arrived.certificate.as_deref(),
            client_ip: &client_ip,
            endpoint: &door.endpoint,
            distribution_id: &arrived.distribution,
            connection_id: id.as_str(),
        };
        let now = self.clock.now();
        let call = ConnectionCall { connected, server: arrived.local.ip(), now, seed: u64::from_le_bytes(seed) };
        let ran = door.function.on_connection(&call);
        for line in &ran.logs {
            tracing::info!(target: "function", function = %ran.function, connection = %id, "{}", OneLine(line));
        }
        if let Err(failure) = &ran.decided {
            tracing::warn!(target: "function", function = %ran.function, connection = %id, category = ERROR, "{}", OneLine(&failure.reason));
        }
        ran
    }
}

fn recorded(ran: ConnectionRan, result: &'static str) -> ConnectionFunctionRecord {
    let verdict = match result {
        SUCCESS => "allowed",
        DENIED => "denied",
        error => error,
    };
    let (custom_data, reason) = match ran.decided {
        Ok(decided) => (decided.custom_data, None),
        Err(failure) => (None, Some(failure.reason)),
    };
    ConnectionFunctionRecord {
        name: ran.function,
        verdict,
        reason,
        time: ran.time,
        utilization: ran.utilization,
        kv_reads: ran.kv.requests,
        kv_misses: ran.kv.misses,
        custom_data,
    }
}
