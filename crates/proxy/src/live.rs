//! What a configuration amounts to, ready to serve: swapped as a whole, held by requests until they end.

use crate::compress::Scope;
use crate::geo::Geo;
use crate::viewer_headers::{self, ViewerHeader};
use http::header::HOST;
use http::{HeaderName, HeaderValue};
use rimward_cache::{ForwardedHeaders, KeyRules, Rules, TtlRules};
use rimward_config::{
    Behavior, Config, ErrorPage, ForwardHeaders, GeoRestriction, MethodSet, MutualTlsMode, NameSet, Profile,
};
use rimward_hooks::{Function, Functions, LambdaOrigin};
use rimward_types::Hook;
use std::collections::HashMap;
use std::sync::Arc;

/// A configuration with its functions published.
pub struct Live {
    config: Config,
    /// `X-Amz-Cf-Pop`, when the node has a name for its place.
    place: Option<HeaderValue>,
    functions: Functions,
    /// Where viewers are.
    geo: Arc<Geo>,
    /// Distributions that judge connections by functions, by id.
    doors: HashMap<Arc<str>, Door>,
    /// By the address of the behavior, which `config` keeps alive and in place.
    plans: HashMap<usize, Arc<Plan>>,
}

/// What judges connections to a distribution.
pub struct Door {
    /// The distribution's own name.
    pub endpoint: Arc<str>,
    /// The function.
    pub function: Arc<Function>,
}

/// The functions of a behavior.
#[derive(Clone, Default)]
pub struct PlanHooks {
    /// Before the cache key is made, one after the other.
    pub viewer_request: Vec<Arc<Function>>,
    /// Before the origin is asked.
    pub origin_request: Option<Arc<Function>>,
    /// Before the origin's answer is stored.
    pub origin_response: Option<Arc<Function>>,
    /// Before the answer leaves, one after the other.
    pub viewer_response: Vec<Arc<Function>>,
}

/// A behavior, with all that a request under it needs.
pub struct Plan {
    /// The distribution's id.
    pub distribution_id: Arc<str>,
    /// The distribution's own name.
    pub distribution_domain_name: Arc<str>,
    /// `/` and the object that stands for `/`.
    pub default_root_object: Option<String>,
    /// Pages in place of errors.
    pub error_pages: Arc<[ErrorPage]>,
    /// The behavior's path pattern.
    pub pattern: Arc<str>,
    /// The behavior.
    pub behavior: Arc<Behavior>,
    /// Whether its distribution asks viewers for certificates, and how.
    pub mutual_tls: Option<MutualTlsMode>,
    /// Its cache policy, for the cache.
    pub rules: Arc<Rules>,
    /// Which of its answers are compressed.
    pub compress: Option<Scope>,
    /// `CloudFront-*` headers that its policies name.
    pub viewer_headers: Vec<(HeaderName, ViewerHeader)>,
    /// Its functions.
    pub hooks: PlanHooks,
    /// In which countries viewers are served.
    pub geo_restriction: Option<GeoRestriction>,
    /// Where viewers are.
    pub geo: Arc<Geo>,
    /// All origins of the configuration, for functions that choose one.
    pub origins: Arc<Origins>,
}

/// The configured origins, as functions name them.
pub type Origins = std::collections::BTreeMap<Arc<str>, Arc<rimward_config::Origin>>;

impl Live {
    /// Makes the plans of `config`. `functions` and `geo` are those that `config` names.
    pub fn new(config: Config, functions: Functions, geo: Arc<Geo>) -> Self {
        let origins = Arc::new(config.origins.clone());
        let tag_headers: Arc<[HeaderName]> = config.cache.tag_headers.clone().into();
        let mut plans = HashMap::new();
        let mut doors = HashMap::new();
        for distribution in &config.distributions {
            if let Some(function) = distribution.connection_function.as_ref().and_then(|name| functions.get(name)) {
                let door = Door { endpoint: distribution.domain_name.clone(), function: function.clone() };
                doors.insert(distribution.id.clone(), door);
            }
            let error_pages: Arc<[ErrorPage]> = distribution.error_pages.clone().into();
            for behavior in &distribution.behaviors {
                let chain = |hook| behavior.functions(hook).iter().filter_map(|name| functions.get(name)).cloned();
                let plan = Plan {
                    distribution_id: distribution.id.clone(),
                    distribution_domain_name: distribution.domain_name.clone(),
                    default_root_object: distribution
                        .default_root_object
                        .as_ref()
                        .map(|object| object.trim_start_matches('/').to_owned()),
                    error_pages: error_pages.clone(),
                    pattern: behavior.pattern.as_str().into(),
                    behavior: behavior.clone(),
                    mutual_tls: distribution.mutual_tls.as_ref().map(|settings| settings.mode),
                    rules: Arc::new(rules(behavior, &tag_headers)),
                    compress: compress(behavior),
                    viewer_headers: viewer_headers::named_by(behavior),
                    hooks: PlanHooks {
                        viewer_request: chain(Hook::ViewerRequest).collect(),
                        origin_request: chain(Hook::OriginRequest).next(),
                        origin_response: chain(Hook::OriginResponse).next(),
                        viewer_response: chain(Hook::ViewerResponse).collect(),
                    },
                    geo_restriction: distribution.geo_restriction.clone(),
                    geo: geo.clone(),
                    origins: origins.clone(),
                };
                plans.insert(Arc::as_ptr(behavior) as usize, Arc::new(plan));
            }
        }
        let place = Some(&config.node.location.name).filter(|name| !name.is_empty());
        let place = place.and_then(|name| HeaderValue::from_str(name).ok());
        Self { config, place, functions, geo, doors, plans }
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The place's name on answers.
    pub fn place(&self) -> Option<&HeaderValue> {
        self.place.as_ref()
    }

    /// Its functions.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    /// Where viewers are.
    pub fn geo(&self) -> &Arc<Geo> {
        &self.geo
    }

    /// What judges connections to the distribution `id`; `None`: their certificates alone count.
    pub fn door_of(&self, id: &str) -> Option<&Door> {
        self.doors.get(id)
    }

    /// The plan of a behavior of its configuration.
    pub fn plan_of(&self, behavior: &Arc<Behavior>) -> Option<&Arc<Plan>> {
        self.plans.get(&(Arc::as_ptr(behavior) as usize))
    }
}

impl Plan {
    /// The configured origin that a function means: by the name that it has in the configuration.
    pub fn origin_named(&self, origin: &LambdaOrigin) -> Option<&Arc<rimward_config::Origin>> {
        self.origins.get(origin.domain_name())
    }
}

fn forwarded(forward: &ForwardHeaders, in_key: &[HeaderName]) -> ForwardedHeaders {
    match forward {
        ForwardHeaders::None => ForwardedHeaders::Only(in_key.to_vec()),
        ForwardHeaders::All => ForwardedHeaders::All,
        ForwardHeaders::Only(names) => ForwardedHeaders::Only([names, in_key].concat()),
        ForwardHeaders::Except(names) => {
            ForwardedHeaders::Except(names.iter().filter(|name| !in_key.contains(name)).cloned().collect())
        }
    }
}

/// An answer is stored coded only where the coding selects: with CloudFront's rules by the key, else by `Vary`.
fn compress(behavior: &Behavior) -> Option<Scope> {
    let policy = &behavior.cache_policy;
    match policy.profile {
        _ if !behavior.compress => None,
        Profile::Rfc => Some(Scope::All),
        Profile::CloudFront => (policy.enabled && policy.accept_encoding).then_some(Scope::CloudFront),
    }
}

fn rules(behavior: &Behavior, tag_headers: &Arc<[HeaderName]>) -> Rules {
    let (policy, forward) = (&behavior.cache_policy, &behavior.forward);
    let mut headers = policy.headers.clone();
    // An origin that sees the viewer's host may answer by it, so one host's answer must not be given to another's viewers.
    if forward.forwards_host() && !headers.contains(&HOST) {
        headers.push(HOST);
    }
    Rules {
        enabled: policy.enabled,
        profile: match policy.profile {
            Profile::Rfc => rimward_cache::Profile::Rfc,
            Profile::CloudFront => rimward_cache::Profile::CloudFront,
        },
        ttl: TtlRules { min: policy.min_ttl, default: policy.default_ttl, max: policy.max_ttl },
        key: KeyRules {
            query: policy.query.clone(),
            headers,
            cookies: policy.cookies.clone(),
            brotli: policy.accept_encoding,
            gzip: policy.accept_encoding,
            zstd: policy.accept_encoding && behavior.compress,
        },
        options: behavior.methods != MethodSet::Read && policy.profile == Profile::CloudFront,
        // `cdn-behaviour.md` section 10.1: replayed when cookies are forwarded, stripped when they are not.
        strip_set_cookie: policy.profile == Profile::CloudFront
            && policy.cookies == NameSet::None
            && forward.cookies == NameSet::None,
        tag_headers: tag_headers.clone(),
        error_ttl: policy.error_ttl,
        error_ttls: policy.error_ttls.clone(),
        slice: policy.slice,
        forwarded: forwarded(&forward.headers, &policy.headers),
        unkeyed: forward.beyond(policy).any(),
        forwards_cookies: policy.cookies != NameSet::None || forward.cookies != NameSet::None,
    }
}
