import type { Profiler } from 'node:inspector';
import { formatTable } from './report.js';

/** One function, or one package, of a profile. */
interface Share {
  readonly name: string;
  /** Its own time, microseconds. */
  self: number;
  /** With the functions that it called. */
  total: number;
}

const SHOWN_FUNCTIONS = 40;

/**
 * The time per request by package and by file of the build, and the functions with the most own time.
 *
 * @param dist - the URL of the build's folder, which appears as the package `dist`.
 */
export function summarizeProfile(profile: Profiler.Profile, requests: number, dist: string): string {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const selfTimes = new Map<number, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    selfTimes.set(id, (selfTimes.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }
  const functions = new Map<string, Share>();
  const packages = new Map<string, Share>();
  const files = new Map<string, Share>();
  const shareOf = (shares: Map<string, Share>, name: string): Share => {
    const share = shares.get(name) ?? { name, self: 0, total: 0 };
    shares.set(name, share);
    return share;
  };

  /** Adds a call to its function and package once, even if they are on the stack several times. */
  const visit = (id: number, above: ReadonlySet<string>): number => {
    const node = nodes.get(id);
    if (node === undefined) return 0;
    const own = selfTimes.get(id) ?? 0;
    const { functionName, url, lineNumber } = node.callFrame;
    if (functionName === '(idle)') return 0;
    const place = placeOf(url, dist);
    const name = url === '' ? functionName : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`;
    const owner = packageOf(place, functionName);
    const counted = [
      [functions, name],
      [packages, owner],
      ...(owner === 'dist' ? [[files, place] as const] : []),
    ] as const;
    const within = new Set([...above, ...counted.map(([, key]) => key)]);
    const total = (node.children ?? []).reduce((sum, child) => sum + visit(child, within), own);
    for (const [shares, key] of counted) {
      const share = shareOf(shares, key);
      share.self += own;
      if (!above.has(key)) share.total += total;
    }
    return total;
  };
  const busy = visit(profile.nodes[0]?.id ?? 0, new Set());

  const table = (head: string, shares: Map<string, Share>, count: number): string =>
    formatTable([
      [head, 'self µs', 'self %', 'total µs'],
      ...[...shares.values()]
        .sort((a, b) => b.self - a.self)
        .slice(0, count)
        .map(({ name, self, total }) => [
          name,
          (self / requests).toFixed(1),
          ((100 * self) / busy).toFixed(1),
          (total / requests).toFixed(1),
        ]),
    ]);
  return [
    `${requests} requests, ${(busy / requests).toFixed(0)} µs busy for each (sampled; the profiler costs time itself)`,
    table('package', packages, Infinity),
    table('file', files, Infinity),
    table('function', functions, SHOWN_FUNCTIONS),
  ].join('\n\n');
}

/** The path from the package's folder on, or Node's name of a built-in module. */
function placeOf(url: string, dist: string): string {
  if (url.startsWith(`${dist}/`)) return `dist${url.slice(dist.length)}`;
  return url.replace(/^file:.*\/(?=servers\/)/, '').replace(/^.*\/node_modules\//, '');
}

function packageOf(place: string, functionName: string): string {
  // Such as `(program)` and `(garbage collector)`.
  if (functionName.startsWith('(') && place === '') return functionName;
  if (place === '' || place.startsWith('wasm:')) return 'native';
  return /^(@[^/]+\/)?[^/:]+/.exec(place)?.[0] ?? place;
}
