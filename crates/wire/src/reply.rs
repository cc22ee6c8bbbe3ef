//! What the guest tells the host: what the handler returned, or why it did not.
//!
//! The guest checks shapes (is it an object, is the value a string); header rules, URL rules and limits are the host's.

use crate::{Malformed, Reader, Writer};

/// A field of a returned message with all its values, in the order of the returned object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Field<'a> {
    /// Name as the function wrote it.
    pub name: &'a str,
    /// Values; `multiValue` precedence is applied already (section 4.1 rule 6).
    pub values: Vec<Value<'a>>,
}

/// One value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Value<'a> {
    /// The value.
    pub text: &'a str,
    /// Attributes, of response cookies alone.
    pub attributes: Option<&'a str>,
}

/// A returned query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query<'a> {
    /// Not touched: the viewer's own text stays.
    Unchanged,
    /// A string, without `?`.
    Text(&'a str),
    /// An object, in wire order.
    Fields(Vec<Field<'a>>),
}

/// A returned body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body<'a> {
    /// No `body` member.
    Absent,
    /// `encoding` is `text`, or a plain string.
    Text(&'a str),
    /// `encoding` is `base64`; not decoded yet.
    Base64(&'a str),
}

/// A call of an origin helper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// Which.
    pub call: OriginCall,
    /// Its arguments as a JSON array; what JSON does not have is `null`. Nothing of it is checked.
    pub arguments: &'a str,
}

/// The origin helpers of module `cloudfront`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OriginCall {
    /// `updateRequestOrigin` (section 11.3).
    Update = 0,
    /// `selectRequestOriginById` (section 11.4).
    Select = 1,
    /// `createRequestOriginGroup` (section 11.5).
    Group = 2,
}

impl OriginCall {
    /// Reads a call's number.
    pub fn from_u8(n: u8) -> Option<Self> {
        [Self::Update, Self::Select, Self::Group].into_iter().find(|call| *call as u8 == n)
    }
}

/// What a function decided of a connection (`cloudfront-functions.md` section 13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It goes on.
    Allow,
    /// It is closed.
    Deny,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The handler threw or its promise was rejected or never settled.
    Execution,
    /// The handler returned something of no valid shape.
    Validation,
}

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<'a> {
    /// Go on with this request. `None` means: as the event had it.
    Request {
        /// Method, which must not have changed.
        method: &'a str,
        /// Path.
        uri: Option<&'a str>,
        /// Query string.
        query: Query<'a>,
        /// Headers.
        headers: Option<Vec<Field<'a>>>,
        /// Cookies.
        cookies: Option<Vec<Field<'a>>>,
        /// The last call of an origin helper of module `cloudfront` (section 11.2).
        origin: Option<Origin<'a>>,
    },
    /// Answer with this response.
    Response {
        /// `statusCode`, any integer that JavaScript gave.
        status: u32,
        /// `statusDescription`.
        description: Option<&'a str>,
        /// Headers; `None` means: as the event had them (viewer-response) or none (viewer-request).
        headers: Option<Vec<Field<'a>>>,
        /// Cookies; `None` as with headers.
        cookies: Option<Vec<Field<'a>>>,
        /// Body.
        body: Body<'a>,
    },
    /// The end of a connection's handler.
    Connection {
        /// What it decided; `None`: neither, which denies.
        decision: Option<Decision>,
        /// For the connection log, 800 bytes at most where the guest is honest.
        custom_data: Option<&'a str>,
    },
    /// No result.
    Failed {
        /// Category.
        failure: Failure,
        /// For the operator: `TypeError: ...`.
        message: &'a str,
        /// Line and column in the function, from 1; zeros when not known.
        line: u32,
        /// See `line`.
        column: u32,
    },
}

impl Reply<'_> {
    /// Appends the reply to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut w = Writer::new(out);
        match self {
            Reply::Request { method, uri, query, headers, cookies, origin } => {
                w.u8(0);
                w.text(method);
                w.optional_text(*uri);
                match query {
                    Query::Unchanged => w.u8(0),
                    Query::Text(text) => {
                        w.u8(1);
                        w.text(text);
                    }
                    Query::Fields(fields) => {
                        w.u8(2);
                        write_fields(&mut w, fields);
                    }
                }
                write_optional_fields(&mut w, headers.as_deref());
                write_optional_fields(&mut w, cookies.as_deref());
                match origin {
                    None => w.u8(0),
                    Some(origin) => {
                        w.u8(1);
                        w.u8(origin.call as u8);
                        w.text(origin.arguments);
                    }
                }
            }
            Reply::Response { status, description, headers, cookies, body } => {
                w.u8(1);
                w.u32(*status);
                w.optional_text(*description);
                write_optional_fields(&mut w, headers.as_deref());
                write_optional_fields(&mut w, cookies.as_deref());
                match body {
                    Body::Absent => w.u8(0),
                    Body::Text(data) => {
                        w.u8(1);
                        w.text(data);
                    }
                    Body::Base64(data) => {
                        w.u8(2);
                        w.text(data);
                    }
                }
            }
            Reply::Connection { decision, custom_data } => {
                w.u8(3);
                w.u8(match decision {
                    None => 0,
                    Some(Decision::Allow) => 1,
                    Some(Decision::Deny) => 2,
                });
                w.optional_text(*custom_data);
            }
            Reply::Failed { failure, message, line, column } => {
                w.u8(2);
                w.u8(match failure {
                    Failure::Execution => 0,
                    Failure::Validation => 1,
                });
                w.text(message);
                w.u32(*line);
                w.u32(*column);
            }
        }
    }

    /// Reads a reply.
    ///
    /// # Errors
    /// When `bytes` is not exactly one reply.
    pub fn read(bytes: &[u8]) -> Result<Reply<'_>, Malformed> {
        let mut r = Reader::new(bytes);
        let reply = match r.u8()? {
            0 => Reply::Request {
                method: r.text()?,
                uri: r.optional_text()?,
                query: match r.u8()? {
                    0 => Query::Unchanged,
                    1 => Query::Text(r.text()?),
                    2 => Query::Fields(read_fields(&mut r)?),
                    _ => return Err(r.malformed("a kind of query string")),
                },
                headers: read_optional_fields(&mut r)?,
                cookies: read_optional_fields(&mut r)?,
                origin: match r.u8()? {
                    0 => None,
                    1 => {
                        let call = OriginCall::from_u8(r.u8()?).ok_or_else(|| r.malformed("an origin helper"))?;
                        Some(Origin { call, arguments: r.text()? })
                    }
                    _ => return Err(r.malformed("0 or 1")),
                },
            },
            1 => Reply::Response {
                status: r.u32()?,
                description: r.optional_text()?,
                headers: read_optional_fields(&mut r)?,
                cookies: read_optional_fields(&mut r)?,
                body: match r.u8()? {
                    0 => Body::Absent,
                    1 => Body::Text(r.text()?),
                    2 => Body::Base64(r.text()?),
                    _ => return Err(r.malformed("a kind of body")),
                },
            },
            2 => Reply::Failed {
                failure: match r.u8()? {
                    0 => Failure::Execution,
                    1 => Failure::Validation,
                    _ => return Err(r.malformed("a kind of failure")),
                },
                message: r.text()?,
                line: r.u32()?,
                column: r.u32()?,
            },
            3 => Reply::Connection {
                decision: match r.u8()? {
                    0 => None,
                    1 => Some(Decision::Allow),
                    2 => Some(Decision::Deny),
                    _ => return Err(r.malformed("a decision")),
                },
                custom_data: r.optional_text()?,
            },
            _ => return Err(r.malformed("a kind of reply")),
        };
        r.finish()?;
        Ok(reply)
    }
}

fn write_optional_fields(w: &mut Writer<'_>, fields: Option<&[Field<'_>]>) {
    match fields {
        None => w.u8(0),
        Some(fields) => {
            w.u8(1);
            write_fields(w, fields);
        }
    }
}

fn write_fields(w: &mut Writer<'_>, fields: &[Field<'_>]) {
    let mut list = w.start_list();
    for field in fields {
        list.entry();
        w.text(field.name);
        let mut values = w.start_list();
        for value in &field.values {
            values.entry();
            w.text(value.text);
            w.optional_text(value.attributes);
        }
        w.end_list(values);
    }
    w.end_list(list);
}

fn read_optional_fields<'a>(r: &mut Reader<'a>) -> Result<Option<Vec<Field<'a>>>, Malformed> {
    match r.u8()? {
        0 => Ok(None),
        1 => read_fields(r).map(Some),
        _ => Err(r.malformed("0 or 1")),
    }
}

fn read_fields<'a>(r: &mut Reader<'a>) -> Result<Vec<Field<'a>>, Malformed> {
    let n = r.u16()?;
    (0..n)
        .map(|_| {
            let name = r.text()?;
            let n = r.u16()?;
            let value = |_| Ok(Value { text: r.text()?, attributes: r.optional_text()? });
            Ok(Field { name, values: (0..n).map(value).collect::<Result<_, Malformed>>()? })
        })
        .collect()
}
