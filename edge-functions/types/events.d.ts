// Events of viewer functions (cloudfront-functions.md sections 3 and 4).

declare namespace CloudFrontFunctions {
  /** A header, a query parameter or a cookie of a request. */
  interface Value {
    value: string;
    /** All values, when there is more than one; `value` repeats the first. */
    multiValue?: { value: string }[];
  }

  /** A cookie of a response. */
  interface ResponseCookie {
    value: string;
    /** The text after the first `;`, such as `Secure; Path=/`. */
    attributes?: string;
    multiValue?: { value: string; attributes?: string }[];
  }

  /** By name. Names of headers are in lower case. */
  interface Values {
    [name: string]: Value;
  }

  interface ResponseCookies {
    [name: string]: ResponseCookie;
  }

  interface Context {
    /** Standard distributions only. */
    readonly distributionDomainName: string;
    /** Multi-tenant distributions only. */
    readonly endpoint?: string;
    readonly distributionId: string;
    readonly eventType: 'viewer-request' | 'viewer-response';
    readonly requestId: string;
  }

  interface Viewer {
    readonly ip: string;
  }

  interface Request {
    readonly method: string;
    /** Path alone, percent-encoded as the viewer sent it. */
    uri: string;
    /** Assign a text, without `?`, to choose the order. */
    querystring: Values | string;
    /** Without `cookie`. */
    headers: Values;
    cookies: Values;
  }

  /** The request as an event has it. */
  interface IncomingRequest extends Request {
    get querystring(): Values;
    /** A text, without `?`, chooses the order. */
    set querystring(values: Values | string);
    /** The original query string; `''` for a bare `?`, `undefined` without one. */
    rawQueryString(): string | undefined;
  }

  interface Body {
    encoding: 'text' | 'base64';
    data: string;
  }

  interface Response {
    /** 200 to 599. */
    statusCode: number;
    statusDescription?: string;
    /** Without `set-cookie`. */
    headers?: Values;
    cookies?: ResponseCookies;
    /** Left out: the original body, or none. */
    body?: Body | string;
  }

  /** The response as an event has it: the body cannot be read. */
  interface IncomingResponse extends Response {
    headers: Values;
    cookies: ResponseCookies;
  }

  interface RequestEvent {
    readonly version: '1.0';
    readonly context: Context;
    readonly viewer: Viewer;
    readonly request: IncomingRequest;
  }

  interface ResponseEvent {
    readonly version: '1.0';
    readonly context: Context;
    readonly viewer: Viewer;
    /** As viewer-request left it. */
    readonly request: IncomingRequest;
    readonly response: IncomingResponse;
  }

  /** What a function gets that is attached to both hooks; `context.eventType` tells which. */
  interface Event extends RequestEvent {
    /** At viewer-response alone. */
    readonly response: IncomingResponse;
  }

  interface Certificate {
    /** Bytes in lower-case hexadecimal, with colons between them. */
    readonly serialNumber: string;
    readonly issuer: string;
    readonly subject: string;
    /** ISO 8601. */
    readonly validity: { readonly notBefore: string; readonly notAfter: string };
    /** 64 hexadecimal digits. */
    readonly sha256Fingerprint: string;
  }

  /** What a connection function gets (section 13). */
  interface Connection {
    /** Not there when the viewer sent no certificate. */
    readonly clientCertificate?: { readonly certificates: { readonly leaf: Certificate } };
    readonly clientIp: string;
    readonly endpoint: string;
    readonly distributionId: string;
    readonly connectionId: string;
    /** Lets the connection go on, unless it was denied. */
    allow(): void;
    deny(): void;
    /** At most 800 bytes for the connection log; the last call counts. */
    logCustomData(text: string): void;
  }

  /** A connection handler. What it returns does not count. */
  type ConnectionHandler = (connection: Connection) => void | Promise<void>;

  type RequestResult = Request | Response;

  /** A viewer-request handler. */
  type RequestHandler = (event: RequestEvent) => RequestResult | Promise<RequestResult>;
  /** A viewer-response handler. */
  type ResponseHandler = (event: ResponseEvent) => Response | Promise<Response>;
}
