// `node:http`, the client: requests go out with `fetch`, so through the node's own client and its grants.

import { client } from './http_client.js';

export { Agent, ClientRequest, IncomingMessage } from './http_client.js';
export { METHODS, STATUS_CODES } from './http_words.js';
import { Agent, ClientRequest, IncomingMessage } from './http_client.js';
import { METHODS, STATUS_CODES } from './http_words.js';

export const { request, get } = client('http:');
export const globalAgent = new Agent();
export const createServer = () => {
  throw new Error('a function cannot listen: it is called by the node');
};
export default { Agent, ClientRequest, IncomingMessage, METHODS, STATUS_CODES, createServer, get, globalAgent, request };
