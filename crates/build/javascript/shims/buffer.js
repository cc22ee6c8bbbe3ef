// `node:buffer`: the class that is a global.
import * as polyfill from '@jspm/core/nodelibs/buffer';

const { Buffer } = globalThis;
const { INSPECT_MAX_BYTES, kMaxLength } = polyfill;
const { atob, btoa, Blob } = globalThis;
const constants = { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: 536870888 };
export { Buffer, Blob, INSPECT_MAX_BYTES, atob, btoa, constants, kMaxLength };
export default { Buffer, Blob, INSPECT_MAX_BYTES, atob, btoa, constants, kMaxLength };
