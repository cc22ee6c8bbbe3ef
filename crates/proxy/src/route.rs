//! Distribution by host, behavior by path (`cdn-behaviour.md` sections 2 and 3).

use crate::exchange::{Answer, Exchange};
use crate::guard::{self, Refusal};
use crate::live::{Live, Plan};
use rimward_types::RequestHead;
use std::sync::Arc;

/// Finds the plan of the behavior that `request` falls under.
///
/// # Errors
/// The answer for a host that nobody serves, and for a path that origins may read as another one.
pub fn route(live: &Live, exchange: &mut Exchange, request: &RequestHead) -> Result<Arc<Plan>, Answer> {
    let host = request.host().unwrap_or_default();
    let Some(distribution) = live.config().distribution_for(&host) else {
        return Err(guard::refuse(exchange, &Refusal::UnknownHost));
    };
    exchange.record.distribution = Some(distribution.id.clone());
    let behavior = distribution.behavior_for(&request.path);
    let behavior = behavior.map_err(|ambiguous| guard::refuse(exchange, &Refusal::AmbiguousPath(ambiguous)))?;
    // Each behavior of a configuration has its plan.
    let plan = live.plan_of(behavior).ok_or_else(|| guard::refuse(exchange, &Refusal::UnknownHost))?;
    exchange.record.behavior = Some(plan.pattern.clone());
    Ok(plan.clone())
}

/// A request for exactly `/` is one for the default root object. Behaviors are matched and viewer-request runs before
/// (`cloudfront-functions.md` section 2).
pub fn default_root_object(plan: &Plan, request: &mut RequestHead) {
    if let Some(object) = &plan.default_root_object
        && request.path == "/"
    {
        request.path.push_str(object);
    }
}
