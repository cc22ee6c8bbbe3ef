// The modules that a function can import (cloudfront-functions.md sections 10.5 and 11). Imports are default imports.

declare module 'cloudfront' {
  interface KeyValueStore {
    /** The value; rejects when there is no such key. */
    get(key: string): Promise<string>;
    get(key: string, options: { format: 'string' }): Promise<string>;
    get(key: string, options: { format: 'json' }): Promise<any>;
    get(key: string, options: { format: 'bytes' }): Promise<Buffer>;
    exists(key: string): Promise<boolean>;
    meta(): Promise<{ creationDateTime: string; lastUpdatedDateTime: string; keyCount: number }>;
  }

  interface OriginNames {
    /** What `Host` the origin gets. */
    hostHeader?: string;
    sni?: string;
    /** At most 20. */
    allowedCertificateNames?: string[];
  }

  interface OriginUpdate extends OriginNames {
    domainName?: string;
    /** Begins with `/`, does not end with one. */
    originPath?: string;
    /** Names in lower case; `{}` clears inherited ones. */
    customHeaders?: { [name: string]: string };
    connectionAttempts?: 1 | 2 | 3;
    originShield?: { enabled: false } | { enabled: true; region: string };
    originAccessControlConfig?:
      | { enabled: false }
      | {
          enabled: true;
          signingBehavior: 'always' | 'never' | 'no-override';
          signingProtocol: 'sigv4';
          originType: 's3' | 'mediapackagev2' | 'mediastore' | 'lambda';
          region?: string;
        };
    /** In seconds. */
    timeouts?: {
      readTimeout?: number;
      responseCompletionTimeout?: number;
      keepAliveTimeout?: number;
      connectionTimeout?: number;
    };
    customOriginConfig?: {
      port: number;
      protocol: 'http' | 'https';
      sslProtocols: ('SSLv3' | 'TLSv1' | 'TLSv1.1' | 'TLSv1.2')[];
      ipAddressType?: 'ipv4' | 'ipv6' | 'dualstack';
    };
    mTLSConfig?: 'off';
  }

  interface OriginGroup {
    /** Two: the primary first. */
    originIds: [GroupMember, GroupMember];
    selectionCriteria?: 'default' | 'media-quality-score';
    failoverCriteria: { statusCodes: number[] };
  }

  type GroupMember = string | { originId: string; originOverrides?: OriginNames };

  interface CborWebToken {
    protectedHeaders: { [label: string]: any };
    unprotectedHeaders: { [label: string]: any };
    payload: { [claim: string]: any };
  }

  interface CloudFront {
    /** The function's store; the id may be left out. */
    kvs(storeId?: string): KeyValueStore;
    /** viewer-request only. */
    updateRequestOrigin(update: OriginUpdate): void;
    /** viewer-request only. */
    selectRequestOriginById(originId: string, overrides?: OriginNames): void;
    /** viewer-request only. */
    createRequestOriginGroup(group: OriginGroup): void;
    /** viewer-request only. */
    readonly edgeLocation: { readonly name: string; readonly serverIp: string; readonly region: string };
    /** Multi-tenant distributions only. */
    readonly distributionTenant: {
      readonly id: string;
      readonly parameters: { get(name: string): string };
    };
    readonly cwt: {
      /** Throws when the token is not valid. Claims are not checked. */
      validateToken(token: Buffer, options: { key: string | Buffer }): CborWebToken;
      generateToken(
        payload: object,
        context: { cwtTag?: boolean; coseTag: 'MAC0'; key: string | Buffer },
      ): Buffer;
    };
  }

  const cloudfront: CloudFront;
  export default cloudfront;
}

declare module 'crypto' {
  type Algorithm = 'md5' | 'sha1' | 'sha256';
  type Encoding = 'hex' | 'base64' | 'base64url';

  interface Hash {
    update(data: string | Buffer | Uint8Array): this;
    /** Once. */
    digest(): Buffer;
    digest(encoding: Encoding): string;
  }

  interface Crypto {
    createHash(algorithm: Algorithm): Hash;
    createHmac(algorithm: Algorithm, key: string | Buffer | Uint8Array): Hash;
  }

  const crypto: Crypto;
  export default crypto;
}

declare module 'querystring' {
  interface Parsed {
    [name: string]: string | string[];
  }

  interface QueryString {
    parse(
      text: string,
      separator?: string | null,
      equals?: string | null,
      options?: { decodeURIComponent?: (text: string) => string; maxKeys?: number },
    ): Parsed;
    decode: QueryString['parse'];
    stringify(
      values: { [name: string]: any },
      separator?: string | null,
      equals?: string | null,
      options?: { encodeURIComponent?: (text: string) => string },
    ): string;
    encode: QueryString['stringify'];
    escape(text: string): string;
    unescape(text: string): string;
  }

  const querystring: QueryString;
  export default querystring;
}

declare module 'buffer' {
  const buffer: { Buffer: BufferConstructor };
  export default buffer;
}
