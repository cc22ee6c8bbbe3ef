//! Why the server lets a request not in.

use http::{HeaderValue, StatusCode, Version, header};
use rimward_types::{Body, ResponseHead};
use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident $status:ident $key:literal $text:literal,)*) => {
        /// Why a request was refused before the service saw it.
        ///
        /// A head or URL that is too large: `cdn-behaviour.md` section 11 has 414 for the URL, which we send, and the
        /// unregistered 494 for the header block, for which we send the registered 431 (RFC 6585 section 5): that is
        /// also what the HTTP/2 layer answers by itself, and clients know it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// Each of them.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

            /// Status of the answer.
            pub fn status(self) -> StatusCode {
                match self { $(Refusal::$name => StatusCode::$status,)* }
            }

            /// Name in metrics and records.
            pub fn as_str(self) -> &'static str {
                match self { $(Refusal::$name => $key,)* }
            }

            /// What was wrong, for the page and the operator.
            pub fn text(self) -> &'static str {
                match self { $(Refusal::$name => $text,)* }
            }
        }
    };
}

refusals! {
    /// RFC 9112 section 3: the first line is not `method SP target SP HTTP/1.x`.
    RequestLine BAD_REQUEST "request-line" "the request line is malformed",
    /// RFC 9112 section 3.2: the target has a byte that no URL has, or the wrong form.
    Target BAD_REQUEST "target" "the request target is malformed",
    /// RFC 9112 section 3.2: a target has no fragment.
    Fragment BAD_REQUEST "fragment" "the request target has a fragment",
    /// RFC 9110 section 2.5: a major version that we do not speak.
    HttpVersion HTTP_VERSION_NOT_SUPPORTED "version" "the HTTP version is not supported",
    /// RFC 9112 section 5.1: a field name is no token, or white space stands before the colon.
    HeaderName BAD_REQUEST "header-name" "a header name is malformed",
    /// RFC 9110 section 5.5: a field value has a control character.
    HeaderValue BAD_REQUEST "header-value" "a header value has a control character",
    /// RFC 9113 section 8.2.1: white space at an end of a field value, which only HTTP/1 takes off.
    HeaderSpace BAD_REQUEST "header-space" "a header value begins or ends with white space",
    /// RFC 9112 section 5.2: a field continues on the next line.
    ObsFold BAD_REQUEST "obs-fold" "a header is folded over several lines",
    /// RFC 9112 section 2.2: a carriage return without line feed, or a line feed without carriage return.
    LineEnd BAD_REQUEST "line-end" "a line does not end with CR LF",
    /// RFC 9112 section 3.2: no `Host`.
    HostMissing BAD_REQUEST "host-missing" "the Host header is missing",
    /// RFC 9112 section 3.2: more than one `Host`.
    HostRepeated BAD_REQUEST "host-repeated" "there is more than one Host header",
    /// RFC 9112 section 3.2: `Host` is no host name.
    HostInvalid BAD_REQUEST "host-invalid" "the Host header is malformed",
    /// RFC 9112 section 3.2.2, RFC 9113 section 8.3.1: target and `Host` name different hosts.
    HostMismatch BAD_REQUEST "host-mismatch" "the request target and the Host header name different hosts",
    /// RFC 9112 section 6.3: both `Content-Length` and `Transfer-Encoding`.
    LengthAndEncoding BAD_REQUEST "length-and-encoding" "there are both Content-Length and Transfer-Encoding",
    /// RFC 9112 section 6.3: more than one `Content-Length`, be they equal or not.
    LengthRepeated BAD_REQUEST "length-repeated" "there is more than one Content-Length",
    /// RFC 9110 section 8.6: `Content-Length` is not digits alone.
    LengthInvalid BAD_REQUEST "length-invalid" "the Content-Length is no number",
    /// RFC 9112 section 6.3: `Transfer-Encoding` does not end with `chunked`, names it twice, or comes with HTTP/1.0.
    EncodingInvalid BAD_REQUEST "encoding-invalid" "the Transfer-Encoding is malformed",
    /// RFC 9112 section 6.1: a transfer coding besides `chunked`.
    EncodingUnsupported NOT_IMPLEMENTED "encoding-unsupported" "the Transfer-Encoding is not supported",
    /// RFC 9110 section 9.3.6 and 9.3.8: CONNECT and TRACE are not for a reverse proxy.
    Method METHOD_NOT_ALLOWED "method" "the method is not allowed",
    /// The URL is longer than the limit.
    UrlTooLong URI_TOO_LONG "url-too-long" "the URL is too long",
    /// Request line and headers are larger than the limit.
    HeadTooLarge REQUEST_HEADER_FIELDS_TOO_LARGE "head-too-large" "the request header is too large",
    /// There are more header lines than the limit.
    TooManyHeaders REQUEST_HEADER_FIELDS_TOO_LARGE "too-many-headers" "there are too many headers",
    /// `Content-Length` is larger than the limit.
    BodyTooLarge PAYLOAD_TOO_LARGE "body-too-large" "the request body is too large",
    /// The head did not come in time.
    HeadTimeout REQUEST_TIMEOUT "head-timeout" "the request header did not come in time",
    /// RFC 9110 section 15.5.20: the certificate that the connection was made with would be judged by other rules now.
    TrustChanged MISDIRECTED_REQUEST "trust-changed" "the rules for certificates have changed, connect again",
    /// There are more connections than the limit.
    TooManyConnections SERVICE_UNAVAILABLE "too-many-connections" "there are too many connections",
    /// The viewer's address has more connections than one may.
    TooManyOfAddress SERVICE_UNAVAILABLE "too-many-connections-of-address" "there are too many connections from the address",
    /// Too many requests of the HTTP/2 connection are worked on, those included that its viewer has reset.
    TooMuchWork SERVICE_UNAVAILABLE "too-much-work" "too many requests of the connection are still worked on",
    /// A WebSocket cannot begin while the node stops, or the connection is to end.
    Stopping SERVICE_UNAVAILABLE "stopping" "the connection is about to end, connect again",
    /// There are more WebSockets than the limit.
    TooManyWebSockets SERVICE_UNAVAILABLE "too-many-websockets" "there are too many WebSockets",
}

/// A refused request, for the record.
#[derive(Debug)]
pub struct Refused<'a> {
    /// Why.
    pub refusal: Refusal,
    /// Version as far as known.
    pub version: Version,
    /// First bytes of the request line as they came, at most 256; empty over HTTP/2.
    pub line: &'a [u8],
}

impl Refusal {
    /// A small answer. The connection is closed after it on HTTP/1.
    pub fn page(self) -> (ResponseHead, Body) {
        let mut head = ResponseHead::new(self.status());
        head.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        head.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self == Refusal::Method {
            head.headers.insert(header::ALLOW, HeaderValue::from_static(crate::ALLOWED_METHODS));
        }
        let status = self.status();
        let page = format!(
            "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\n<body><h1>{status}</h1><p>Request refused: {}.</p></body></html>\n",
            self.text()
        );
        (head, page.into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
