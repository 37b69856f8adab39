import type { Api, PathParams, Reply } from './reply.js';
import { pathOf, type RecordedRequest } from './request.js';

/**
 * Answers a request at the first path that fits. The patterns live as long as the emulator: the paths of some have random ids.
 * This is not a router of Express, which takes longer to make than all the rest of an emulator.
 */
export function routerOf(api: Api): (request: RecordedRequest) => Reply | Promise<Reply> {
  const { notFound, notAllowed = notFound, undecodable = notFound } = api;
  const routes = api.routes.map(([method, path, answer]) => ({
    method,
    path,
    pattern: patternOf(path),
    answer,
  }));
  return (request) => {
    const sent = pathOf(request);
    const first = routes.find(({ pattern }) => pattern.test(sent));
    if (first === undefined) return notFound(request, {});
    const params = paramsOf(first.pattern, sent);
    if (params === undefined) return undecodable(request, {});
    const method = request.method === 'HEAD' ? 'get' : request.method.toLowerCase();
    const route = routes.find((one) => one.path === first.path && one.method === method);
    return (route?.answer ?? notAllowed)(request, params);
  };
}

/** The pattern of a path such as `/v1/messages/:id.json`. */
function patternOf(path: string): RegExp {
  const escaped = path.replaceAll('.', String.raw`\.`);
  return new RegExp(`^${escaped.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}$`);
}

/** The decoded parameters; `undefined` if one is not percent-encoded properly. */
function paramsOf(pattern: RegExp, sent: string): PathParams | undefined {
  const groups = pattern.exec(sent)?.groups ?? {};
  try {
    return Object.fromEntries(
      Object.entries(groups).map(([name, value]) => [name, decodeURIComponent(value)]),
    );
  } catch {
    return undefined;
  }
}
