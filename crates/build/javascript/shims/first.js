// What polyfills look at while they load, so before any of them.

globalThis.navigator ??= { userAgent: 'Node.js/22', platform: 'linux', language: 'en-US', hardwareConcurrency: 1 };
