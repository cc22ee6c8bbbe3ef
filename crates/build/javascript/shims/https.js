// `node:https`, the client: as `node:http`, over TLS with the node's own authorities.

import { Agent, client } from './http_client.js';

export { Agent };
export const { request, get } = client('https:');
export const globalAgent = new Agent();
export const createServer = () => {
  throw new Error('a function cannot listen: it is called by the node');
};
export default { Agent, createServer, get, globalAgent, request };
