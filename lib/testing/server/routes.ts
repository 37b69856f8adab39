import type { Api, PathParams, Reply } from './reply.js';
import { pathOf, type RecordedRequest } from './request.js';

/**
 * The reply of the first path that fits. Not by a router of Express, which would parse every path again for every emulator: a test
 * run starts thousands.
 */
export function findAnswer(api: Api, request: RecordedRequest): Reply | Promise<Reply> {
  const { routes, notFound, notAllowed = notFound, undecodable = notFound } = api;
  const sent = pathOf(request);
  const path = routes.find(([, one]) => patternOf(one).test(sent))?.[1];
  if (path === undefined) return notFound(request, {});
  const params = paramsOf(path, sent);
  if (params === undefined) return undecodable(request, {});
  const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
  const [, , answer] = routes.find(([one, other]) => one === method && other === path) ?? [];
  return (answer ?? notAllowed)(request, params);
}

const patterns = new Map<string, RegExp>();

/** The pattern of a path such as `/v1/messages/:id.json`. */
function patternOf(path: string): RegExp {
  let pattern = patterns.get(path);
  if (pattern === undefined) {
    const escaped = path.replaceAll('.', String.raw`\.`);
    pattern = new RegExp(`^${escaped.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
    patterns.set(path, pattern);
  }
  return pattern;
}

/** The decoded parameters; `undefined` if one is not percent-encoded properly. */
function paramsOf(path: string, sent: string): PathParams | undefined {
  const groups = patternOf(path).exec(sent)?.groups ?? {};
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    return undefined;
  }
}
