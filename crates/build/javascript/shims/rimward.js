// `rimward`: what the node offers to functions and the vendor does not. A function that uses it runs here alone.
import { HOST_SYMBOL } from './host_symbol.js';

/**
 * The text of a secret that the configuration gives to the function. While the component is built it is empty, so that
 * none is in the component: module scope that asks runs again in each instance.
 */
export function secret(name) {
  const value = globalThis[HOST_SYMBOL].secret(String(name));
  if (value === undefined) throw new Error(`the function has no secret "${name}"; its configuration names none`);
  return value;
}

export default { secret };
