//! `[[distributions]]` and `[[distributions.behaviors]]` (`cdn-behaviour.md` sections 1 to 4).

use crate::{CachePolicy, Forward, GeoRestriction, MutualTls, Origin, OriginGroup, PathPattern, ResponseHeadersPolicy};
use http::{Method, StatusCode};
use rimward_types::Hook;
use std::sync::Arc;

/// `[[distributions]]`: a site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// `id`: 1 to 64 letters and digits. Default: `E` and 13 characters made from the first domain.
    pub id: Arc<str>,
    /// `domain-name`: its own name, which it answers to as well. Default: the id in lower case and `.rimward.local`.
    pub domain_name: Arc<str>,
    /// `domains`: hosts that it serves, 1 to 100: `"www.example.com"`, `"*.example.com"`, `"*"`. In lower case.
    pub domains: Vec<String>,
    /// `behaviors`: tried in their order; the last one has no `path` and takes the rest. At most 75 and that one.
    pub behaviors: Vec<Arc<Behavior>>,
    /// `default-root-object`: what a request for `/` gets, `"index.html"`. Default: `/` itself is asked for.
    pub default_root_object: Option<String>,
    /// `[[distributions.error-pages]]`: pages in place of errors, each status once. Default: none.
    pub error_pages: Vec<ErrorPage>,
    /// `mutual-tls`: viewers show certificates. Default: none is asked for.
    pub mutual_tls: Option<MutualTls>,
    /// `geo-restriction`: in which countries viewers are served. Default: in all.
    pub geo_restriction: Option<GeoRestriction>,
    /// `connection-function`: a function of connections, which allows or denies each new one. Default: none.
    pub connection_function: Option<Arc<str>>,
}

/// `[[distributions.error-pages]]`: what a viewer gets in place of an error (`cdn-behaviour.md` section 11,
/// `CustomErrorResponse`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorPage {
    /// `status`: of the error, one of 400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504.
    pub status: StatusCode,
    /// `page`: path of the page in the same distribution, `"/errors/404.html"`.
    pub page: String,
    /// `answer-status`: what the viewer gets with it: 200, or one of the above. Default: `status`.
    pub answer_status: StatusCode,
}

/// `[[distributions.behaviors]]`: what happens to requests for some paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behavior {
    /// `path`: pattern of the paths, `"/images/*"`. Default: all of them.
    pub pattern: PathPattern,
    /// `origin`: name of an origin or an origin group.
    pub origin: Target,
    /// `viewer-protocol`: `"allow-all"`, `"redirect-to-https"` or `"https-only"`. Default: `"allow-all"`.
    pub viewer_protocol: ViewerProtocol,
    /// `methods`: `["GET", "HEAD"]`, `["GET", "HEAD", "OPTIONS"]`, `"all"` or `"any"`. Default: GET and HEAD.
    pub methods: MethodSet,
    /// `cache-policy`: name of a cache policy. Default: `"origin-cache-control"`.
    pub cache_policy: Arc<CachePolicy>,
    /// `forward`: what of the viewer's request reaches the origin. Default: see [`Forward::default_of`].
    pub forward: Forward,
    /// `compress`: whether answers are sent in a content coding that the viewer takes. Default: false.
    pub compress: bool,
    /// `response-headers-policy`: name of a policy for the headers of its answers. Default: none.
    pub response_headers_policy: Option<Arc<ResponseHeadersPolicy>>,
    /// `grpc`: whether gRPC requests are told apart, and go to the origin over HTTP/2 (`cdn-behaviour.md` section 21,
    /// `GrpcConfig.Enabled`). Default: false.
    pub grpc: bool,
    /// `viewer-request`, `origin-request`, `origin-response`, `viewer-response`: names of functions; at the viewer hooks also
    /// lists of up to 8. Default: none.
    pub hooks: BehaviorHooks,
}

/// Where a behavior's answers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// One origin.
    Origin(Arc<Origin>),
    /// Two origins, the second in reserve.
    Group(Arc<OriginGroup>),
}

/// What a viewer without TLS gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ViewerProtocol {
    /// The same as with TLS.
    #[default]
    AllowAll,
    /// 301 (GET, HEAD) or 307 to `https`.
    RedirectToHttps,
    /// 403.
    HttpsOnly,
}

/// The methods that a behavior serves; others get 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MethodSet {
    /// GET and HEAD.
    #[default]
    Read,
    /// GET, HEAD and OPTIONS.
    ReadAndOptions,
    /// GET, HEAD, OPTIONS, PUT, POST, PATCH and DELETE: the vendor's largest set.
    All,
    /// Every method, also one that nobody registered. CONNECT and TRACE never come this far: no listener takes them.
    Any,
}

/// The functions of a behavior, by name; each is in `Config::functions`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BehaviorHooks {
    /// Before the cache key is made, one after the other.
    pub viewer_request: Vec<Arc<str>>,
    /// Before the origin is asked.
    pub origin_request: Option<Arc<str>>,
    /// Before the origin's answer is stored.
    pub origin_response: Option<Arc<str>>,
    /// Before the answer leaves, one after the other.
    pub viewer_response: Vec<Arc<str>>,
    /// `viewer-response-on-errors`: whether viewer-response also runs for answers of 400 and above. Default: false
    /// (`cloudfront-functions.md` section 2).
    pub viewer_response_on_errors: bool,
}

/// Why no behavior is found for a path: it means another path to some origins than to the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmbiguousPath {
    /// Its dot segments lead elsewhere for who decodes it, or leaves parts of it out.
    HiddenDotSegment,
    /// It falls under one behavior as it was sent, and under another for who decodes it, or leaves parameters out.
    AnotherBehavior,
}

impl Distribution {
    /// The first behavior whose pattern matches `path`, which is made normal for this alone. The query does not
    /// count, and a `uri` that a hook changes later does not choose anew.
    ///
    /// # Errors
    /// The path falls under another behavior, or may, as origins read it: a function that guards that one would not run.
    ///
    /// # Panics
    /// Never for a distribution from a checked configuration: it has a behavior, and the last one takes every path.
    pub fn behavior_for(&self, path: &str) -> Result<&Arc<Behavior>, AmbiguousPath> {
        if crate::path::hides_dot_segment(path) {
            return Err(AmbiguousPath::HiddenDotSegment);
        }
        let sent = self.matching(&crate::normalize(path));
        let another = |reading: &String| !Arc::ptr_eq(self.matching(reading), sent);
        match crate::path::other_readings(path).iter().any(another) {
            true => Err(AmbiguousPath::AnotherBehavior),
            false => Ok(sent),
        }
    }

    fn matching(&self, normal: &str) -> &Arc<Behavior> {
        let (default, listed) = self.behaviors.split_last().expect("a checked distribution has a behavior");
        listed.iter().find(|behavior| behavior.pattern.matches(normal)).unwrap_or(default)
    }
}

impl Behavior {
    /// The functions at `hook`, in the order in which they run.
    pub fn functions(&self, hook: Hook) -> &[Arc<str>] {
        self.hooks.get(hook)
    }
}

impl BehaviorHooks {
    /// The functions at `hook`, in the order in which they run.
    pub fn get(&self, hook: Hook) -> &[Arc<str>] {
        match hook {
            Hook::ViewerRequest => &self.viewer_request,
            Hook::OriginRequest => self.origin_request.as_slice(),
            Hook::OriginResponse => self.origin_response.as_slice(),
            Hook::ViewerResponse => &self.viewer_response,
        }
    }

    /// Whether no hook has a function.
    pub fn is_empty(&self) -> bool {
        Hook::ALL.iter().all(|hook| self.get(*hook).is_empty())
    }
}

impl MethodSet {
    /// Whether `method` is served.
    pub fn contains(self, method: &Method) -> bool {
        match *method {
            Method::GET | Method::HEAD => true,
            Method::CONNECT | Method::TRACE => false,
            Method::OPTIONS => self != MethodSet::Read,
            Method::PUT | Method::POST | Method::PATCH | Method::DELETE => {
                matches!(self, MethodSet::All | MethodSet::Any)
            }
            _ => self == MethodSet::Any,
        }
    }

    /// The methods as `Allow` has them; of [`MethodSet::Any`], those that are registered and common.
    pub fn as_str(self) -> &'static str {
        match self {
            MethodSet::Read => "GET, HEAD",
            MethodSet::ReadAndOptions => "GET, HEAD, OPTIONS",
            MethodSet::All | MethodSet::Any => "GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE",
        }
    }
}
