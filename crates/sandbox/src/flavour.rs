//! Which of the two flavours a component speaks, and one call in it.

use rimward_event::lambda::{Encoding, LambdaEvent, Outcome, Returned, parse, validate, validate_leniently};
use rimward_event::{Invalid, Strictness};
use rimward_types::{Hook, ResponseHead, Timestamp};
use wasmtime::component::{Component, Instance, InstancePre};
use wasmtime::{Engine, Store};

use crate::bindings::{INIT, LAMBDA, REQUEST_HOOK, RESPONSE_HOOK, init, lambda, request_hook, response_hook};
use crate::environment::Identity;
use crate::host::Host;
use crate::instance::Payload;
use crate::publish::{PublishError, Validation};
use crate::typed;

/// The handlers that a component exports.
pub(crate) struct Handlers {
    /// What a new instance does first; not a handler.
    init: Option<init::GuestIndices>,
    lambda: Option<lambda::GuestIndices>,
    request: Option<request_hook::GuestIndices>,
    response: Option<response_hook::GuestIndices>,
}

/// The same in one instance.
pub(crate) struct Bound {
    init: Option<init::Guest>,
    lambda: Option<lambda::Guest>,
    request: Option<request_hook::Guest>,
    response: Option<response_hook::Guest>,
}

/// What a handler gave, as it gave it.
pub(crate) enum Raw {
    Json(String),
    Typed(Result<Returned, Invalid>),
}

/// Which handler takes a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Lambda@Edge in JSON.
    Lambda,
    /// Typed.
    Typed,
}

impl Handlers {
    /// Looks at a component's exports.
    pub(crate) fn find(engine: &Engine, component: &Component, pre: &InstancePre<Host>) -> Result<Self, PublishError> {
        let has = |name: &str| component.get_export_index(None, name).is_some();
        let wrong = |export: &str, error: wasmtime::Error| PublishError::HandlerType(format!("{export}: {error:#}"));
        let handlers = Self {
            init: match has(INIT) {
                true => Some(init::GuestIndices::new(pre).map_err(|error| wrong(INIT, error))?),
                false => None,
            },
            lambda: match has(LAMBDA) {
                true => Some(lambda::GuestIndices::new(pre).map_err(|error| wrong(LAMBDA, error))?),
                false => None,
            },
            request: match has(REQUEST_HOOK) {
                true => Some(request_hook::GuestIndices::new(pre).map_err(|error| wrong(REQUEST_HOOK, error))?),
                false => None,
            },
            response: match has(RESPONSE_HOOK) {
                true => Some(response_hook::GuestIndices::new(pre).map_err(|error| wrong(RESPONSE_HOOK, error))?),
                false => None,
            },
        };
        if handlers.lambda.is_none() && handlers.request.is_none() && handlers.response.is_none() {
            let exports = component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect();
            return Err(PublishError::NoHandler { exports });
        }
        Ok(handlers)
    }

    /// The handler for `hook`; a typed one goes before JSON.
    pub(crate) fn flavour(&self, hook: Hook) -> Option<Flavour> {
        let typed = if hook.is_response() { self.response.is_some() } else { self.request.is_some() };
        match (typed, self.lambda.is_some()) {
            (true, _) => Some(Flavour::Typed),
            (false, true) => Some(Flavour::Lambda),
            (false, false) => None,
        }
    }

    /// Whether there is a handler for JSON.
    pub(crate) fn takes_json(&self) -> bool {
        self.lambda.is_some()
    }

    /// Looks the handlers up in an instance. Here the types of the exports are checked.
    pub(crate) fn bind(&self, store: &mut Store<Host>, instance: &Instance) -> wasmtime::Result<Bound> {
        Ok(Bound {
            init: self.init.as_ref().map(|indices| indices.load(&mut *store, instance)).transpose()?,
            lambda: self.lambda.as_ref().map(|indices| indices.load(&mut *store, instance)).transpose()?,
            request: self.request.as_ref().map(|indices| indices.load(&mut *store, instance)).transpose()?,
            response: self.response.as_ref().map(|indices| indices.load(&mut *store, instance)).transpose()?,
        })
    }
}

impl Bound {
    /// What a new instance does before its first event. The inner error is the function's own.
    pub(crate) async fn init(&self, store: &mut Store<Host>) -> wasmtime::Result<Result<(), String>> {
        match &self.init {
            Some(init) => init.call_init(store).await,
            None => Ok(Ok(())),
        }
    }

    /// Calls the handler for the event's hook. `None` where there is none. The inner error is the handler's own.
    pub(crate) async fn call(
        &self,
        store: &mut Store<Host>,
        payload: Payload<'_>,
        identity: &Identity,
        invocation_id: &str,
        deadline: Timestamp,
    ) -> wasmtime::Result<Option<Result<Raw, String>>> {
        let event = match payload {
            Payload::Event(event) => event,
            Payload::Json { payload, client_context } => {
                let Some(handler) = &self.lambda else { return Ok(None) };
                let context = identity.context_json(invocation_id, deadline, client_context);
                return Ok(Some(handler.call_invoke(store, payload, &context).await?.map(Raw::Json)));
            }
        };
        let typed_context = || typed::context(event, identity, invocation_id, deadline.as_millis());
        if event.hook.is_response()
            && let Some(handler) = &self.response
        {
            let generated = ResponseHead::new(http::StatusCode::OK);
            let response = typed::response(event.response.unwrap_or(&generated));
            let result = handler.call_handle(store, &typed::request(event), &response, &typed_context()).await?;
            let returned = |response| typed::returned_response(response).map(Returned::Response);
            return Ok(Some(result.map(|response| Raw::Typed(returned(response)))));
        }
        if !event.hook.is_response()
            && let Some(handler) = &self.request
        {
            let result = handler.call_handle(store, &typed::request(event), &typed_context()).await?;
            return Ok(Some(result.map(|outcome| Raw::Typed(typed::returned(outcome)))));
        }
        let Some(handler) = &self.lambda else { return Ok(None) };
        let context = identity.context_json(invocation_id, deadline, None);
        let result = handler.call_invoke(store, &event.to_json(), &context).await?;
        Ok(Some(result.map(Raw::Json)))
    }
}

impl Raw {
    /// Validates the result against its event. With [`Validation::Warn`] gives what was mended, too.
    pub(crate) fn outcome(
        self,
        event: &LambdaEvent<'_>,
        validation: Validation,
    ) -> Result<(Outcome, Vec<Invalid>), Invalid> {
        let (returned, encoding) = match self {
            Raw::Json(text) => (parse(event.hook, &text)?, Encoding::Text),
            Raw::Typed(returned) => (returned?, Encoding::Bytes),
        };
        match validation {
            Validation::Strict => Ok((validate(event, returned, encoding, Strictness::Strict)?, Vec::new())),
            Validation::Warn => validate_leniently(event, returned, encoding),
        }
    }
}
