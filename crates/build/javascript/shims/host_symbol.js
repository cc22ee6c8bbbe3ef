// Where the two bundles meet: `host.js` puts there what the user's modules may need of the node.
export const HOST_SYMBOL = Symbol.for('rimward.host');
