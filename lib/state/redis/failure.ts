import { TelephonyHookError } from '../../core/errors.js';

/** Why Redis did not do what it was asked, in a word, and what an operator can do about it. */

/** A command that Redis did not do, or that nobody knows of. Holds nothing of what was asked, nor of the connection. */
export class RedisFailure extends TelephonyHookError {
  override readonly name = 'RedisFailure';
  readonly reason: string;
  override readonly remedy: string;
  /** It may have been done all the same. */
  readonly mayBeDone: boolean;

  constructor(reason: string, mayBeDone: boolean) {
    const remedy = REMEDIES[reason] ?? (/CERT|TLS|SSL/.test(reason) ? CERTIFICATE : USUAL_REMEDY);
    super('STATE_LOST', `Redis cannot be used: ${reason}`, { remedy });
    this.reason = reason;
    this.remedy = remedy;
    this.mayBeDone = mayBeDone;
  }
}

/** What did not come in time. */
export const TIMEOUT = 'TIMEOUT';
/** The connection ended. */
export const CLOSED = 'CLOSED';
/** Nobody connects any more. */
export const STATE_CLOSED = 'STATE_CLOSED';

const USUAL_REMEDY = 'See whether it runs and can be reached from here; it is tried again every second.';
const CREDENTIALS = 'Look at the user and the password of the connection.';
const CERTIFICATE =
  'Its certificate is not trusted here: start Node with NODE_EXTRA_CA_CERTS, or give a client with tls.ca.';
const PRIMARY =
  'This server is a replica: lead the connection to the primary, by its endpoint, Sentinel or a cluster.';
const CLUSTER =
  'This server is part of a cluster: give an ioredis Cluster as the connection. If it is one, the slot of our keys moves: wait until that has ended.';

/** The error words that Redis says, in the order in which they are looked for; what has no remedy has the usual one. */
export const REMEDIES: Readonly<Record<string, string | undefined>> = {
  READONLY: PRIMARY,
  OOM: 'Redis is full: give it more memory, and see whether something else fills it.',
  LOADING: 'Redis is reading its data; it is tried again every second.',
  MASTERDOWN: undefined,
  NOREPLICAS: 'Redis has too few replicas to take writes: look at its setting for the least number of them.',
  MISCONF: 'Redis cannot write to its disk: look at its log.',
  NOAUTH: CREDENTIALS,
  WRONGPASS: CREDENTIALS,
  NOPERM: "Allow the user the commands and keys that the README's section on Redis names.",
  MOVED: CLUSTER,
  ASK: CLUSTER,
  CLUSTERDOWN: 'The cluster has slots that no shard serves: look at CLUSTER INFO.',
  TRYAGAIN: 'The slot of our keys moves to another shard; it is used again once that has ended.',
  BUSY: undefined,
  [STATE_CLOSED]: 'The last hook that had it was closed. Give a new hook a new state.',
  WRONGTYPE: 'Something else writes keys with our prefix: give keyPrefix another value.',
};
const WORD = new RegExp(`\\b(?:${Object.keys(REMEDIES).join('|')})\\b`);

/** By what a client of ioredis threw, whatever its version: read by its words, and told by ours. */
export function failureOf(error: unknown): RedisFailure {
  if (error instanceof RedisFailure) return error;
  const { name, message, code, lastNodeError } = Object(error) as Readonly<Record<string, unknown>>;
  // A cluster's client that could reach none of its nodes.
  if (lastNodeError !== undefined) return failureOf(lastNodeError);
  const text = typeof message === 'string' ? message : '';
  // A cluster's client that was sent to and fro, until the last word came by chance. What ended with its connection may be done.
  const isMoving = /^Too many Cluster redirections.*\b(?:ASK|MOVED|TRYAGAIN)\b/.test(text);
  const word = isMoving ? 'TRYAGAIN' : WORD.exec(text)?.[0];
  if (word !== undefined) return new RedisFailure(word, false);
  // What a script was not allowed, Redis 7 and later say without the word.
  if (/\bACL failure\b/.test(text)) return new RedisFailure('NOPERM', false);
  if (name === 'ReplyError') return new RedisFailure('REFUSED', false);
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return new RedisFailure(code, true);
  // Said of what was not sent.
  const isUnsent = /isn't (?:writeable|ready)/.test(text);
  return new RedisFailure(isUnsent || /closed|ended/i.test(text) ? CLOSED : 'FAILED', !isUnsent);
}
