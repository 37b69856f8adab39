import { nearestWord } from '../../core/nearest-word.js';
import type { RecordedRequest } from './request.js';

/** An option of every fault. */
interface FaultEffect {
  /**
   * Whether the request takes effect nevertheless, so that the phone gets the message although the caller does not know.
   * Default: `true` for the kinds that answer with a success status (`slow`, `truncated`, `malformed`, `empty`,
   * `drip`, `endless`), `false` for all others.
   */
  readonly delivered?: boolean | undefined;
}

/**
 * How a server misbehaves.
 *
 * | kind | what the caller sees |
 * |---|---|
 * | `status` | that status, with `body` as JSON |
 * | `html` | that status, with an HTML error page as proxies make them |
 * | `hang` | the request is read, nothing is ever answered |
 * | `reset` | the request is read, then the connection is reset |
 * | `resetOnConnect` | the connection is reset after the head of the request; the body is not read, so `match` sees none |
 * | `drip` | the headers of a success, then a byte every `everyMs` (default 100), without end |
 * | `truncated` | the correct answer, cut off before its `Content-Length` |
 * | `endless` | the headers of a success and a body that never stops, as fast as it is read |
 * | `redirect` | 302 to `location`, by default a path of the same server that counts its visitors |
 * | `malformed` | the correct status, a body that is not JSON |
 * | `empty` | the correct status (or `status`), no body |
 * | `slow` | the correct answer, `delayMs` late |
 */
export type Fault = FaultEffect &
  (
    | {
        readonly kind: 'status';
        readonly status: number;
        readonly body?: unknown;
        readonly headers?: Readonly<Record<string, string>> | undefined;
      }
    | { readonly kind: 'html'; readonly status: number }
    | { readonly kind: 'hang' }
    | { readonly kind: 'reset' }
    | { readonly kind: 'resetOnConnect' }
    | { readonly kind: 'drip'; readonly everyMs?: number | undefined }
    | { readonly kind: 'truncated' }
    | { readonly kind: 'endless' }
    | { readonly kind: 'redirect'; readonly location?: string | undefined }
    | { readonly kind: 'malformed' }
    | { readonly kind: 'empty'; readonly status?: number | undefined }
    | { readonly kind: 'slow'; readonly delayMs: number }
  );

/** A rule for some requests, or other subjects. */
export interface LimitedRule<Subject = RecordedRequest> {
  /** How many it hits. Default: every one until the rule is cleared. */
  readonly times?: number | undefined;
  /** Which it hits. Default: every one that the rule can hit. */
  readonly match?: ((subject: Subject) => boolean) | undefined;
}

/** A fault, and which calls of the emulated API it hits. */
export interface FaultRule extends LimitedRule {
  readonly fault: Fault;
}

/** Rules in the order in which they were added. The first one that matches applies, until it is used up. */
export class RuleList<Rule extends LimitedRule<Subject>, Subject = RecordedRequest> {
  readonly #defaultMatch: (subject: Subject) => boolean;
  #entries: { readonly rule: Rule; left: number }[] = [];

  /** `defaultMatch` is for rules without a `match`. */
  constructor(defaultMatch: (subject: Subject) => boolean = () => true) {
    this.#defaultMatch = defaultMatch;
  }

  add(rule: Rule): void {
    this.#entries.push({ rule, left: rule.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#entries = [];
  }

  /** Returns the rule for a subject and counts its use. `accepts` excludes rules. */
  take(subject: Subject, accepts: (rule: Rule) => boolean = () => true): Rule | undefined {
    for (const entry of this.#entries) {
      if (entry.left <= 0 || !accepts(entry.rule)) continue;
      if (!(entry.rule.match ?? this.#defaultMatch)(subject)) continue;
      entry.left -= 1;
      return entry.rule;
    }
    return undefined;
  }
}

/** @throws TypeError for a misspelt key. It would do nothing, and a test that relies on it would pass. */
export function requireKeys(what: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  const named = unknown.map((key) => {
    const meant = nearestWord(key, known);
    return meant === undefined ? key : `${key} (did you mean ${meant}?)`;
  });
  throw new TypeError(`${what} does not take ${named.join(', ')}. It takes ${known.join(', ')}.`);
}
