// Serves images in the best format that the browser takes: `/img/a.jpg` becomes `/img/a.avif` or `/img/a.webp` at the origin.
// Attach it to viewer-request, so that each format has its own place in the cache, whatever the `Accept` header looks like.

type Header = { key?: string; value: string };
type Request = { uri: string; method: string; headers: Record<string, Header[]> };
type Event = { Records: [{ cf: { request: Request } }] };

/** The best first. */
const FORMATS = [
  { type: 'image/avif', extension: 'avif' },
  { type: 'image/webp', extension: 'webp' },
];
const CONVERTED = /\.(?:jpe?g|png)$/i;

export const handler = async (event: Event): Promise<Request> => {
  const { request } = event.Records[0].cf;
  if (!CONVERTED.test(request.uri) || !['GET', 'HEAD'].includes(request.method)) {
    return request;
  }
  const accepted = weights((request.headers.accept ?? []).map(({ value }) => value).join(','));
  // A wildcard says nothing of formats that are younger than it, so that only types count that are named.
  const best = FORMATS.filter(({ type }) => (accepted.get(type) ?? 0) > 0).sort(
    (a, b) => (accepted.get(b.type) ?? 0) - (accepted.get(a.type) ?? 0),
  )[0];
  if (best) {
    request.uri = request.uri.replace(CONVERTED, `.${best.extension}`);
  }
  return request;
};

/** Media types of an `Accept` header with their weights (RFC 9110 section 12.5.1). */
function weights(accept: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const part of accept.split(',')) {
    const [type, ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const q = parameters.find((parameter) => parameter.startsWith('q='));
    const weight = q === undefined ? 1 : Number(q.slice(2));
    if (type && weight >= 0 && weight <= 1) found.set(type, weight);
  }
  return found;
}
