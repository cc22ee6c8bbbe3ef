//! `rimward explain`: why a running node would answer a request as it would.

use crate::args::Explain;
use crate::client::Client;
use crate::exit::{Exit, Stop};
use crate::print;
use http::Method;
use serde_json::json;

/// Runs the command.
///
/// # Errors
/// When the request is none, or the node cannot be reached.
pub fn explain(args: &Explain) -> Result<Exit, Stop> {
    let asked = json!({ "url": args.url, "method": args.method, "headers": args.headers });
    // In the words of the node, without one.
    rimward_admin::Explain::from_json(asked.to_string().as_bytes())
        .map_err(|invalid| Stop::unusable(&invalid).hint(hint(&invalid)))?;
    let answer = Client::new(&args.node)?.ask(Method::POST, "/explain", Some(&asked))?;
    if args.json {
        print::data(&format!("{:#}", answer["explanation"]));
        return Ok(Exit::Done);
    }
    match answer["text"].as_str() {
        Some(text) => print::data(text.trim_end()),
        None => return Err(Stop::failed("the node's explanation cannot be read")),
    }
    Ok(Exit::Done)
}

fn hint(invalid: &rimward_admin::InvalidExplain) -> &'static str {
    match invalid {
        rimward_admin::InvalidExplain::Header(_) => "write a header as with curl: -H 'accept-encoding: br'",
        rimward_admin::InvalidExplain::Url(_) => "write scheme, host and path, such as https://www.example.com/a?b=1",
        other => other.hint(),
    }
}
