// What is there in Rimward alone. CloudFront has no such module: `rimward check --target cloudfront` refuses its import.

declare module 'rimward' {
  interface Expected {
    /** One of these must be `iss`. */
    issuer?: string | string[];
    /** One of these must be in `aud`. */
    audience?: string | string[];
    /** Which of RS256, ES256 and EdDSA are taken. Default: all. */
    algorithms?: ('RS256' | 'ES256' | 'EdDSA')[];
    /** Seconds by which the clocks may differ. Default: 0. */
    leeway?: number;
  }

  interface Rimward {
    /** `environment` of the function's configuration. */
    readonly environment: { readonly [name: string]: string };
    /** One of `secrets` of the function's configuration; throws when there is none of that name. */
    secret(name: string): string;
    /** Checks signature and claims with the function's `jwks`; throws an `Error` that says what is wrong. */
    verifyJwt(
      token: string,
      expected?: Expected,
    ): { header: { [name: string]: any }; claims: { [name: string]: any } };
  }

  const rimward: Rimward;
  export default rimward;
}
