import { TelephonyHookError } from '../../core/errors.js';

/** Turns what ioredis throws into one failure with a reason and a remedy. */

/**
 * A command that Redis did not run, or whose result is unknown. Contains nothing of the command or the
 * connection.
 */
export class RedisFailure extends TelephonyHookError {
  override readonly name = 'RedisFailure';
  readonly reason: string;
  override readonly remedy: string;
  /** Redis may have run the command nevertheless. */
  readonly mayBeDone: boolean;

  constructor(reason: string, mayBeDone: boolean) {
    const remedy = REMEDIES[reason] ?? (/CERT|TLS|SSL/.test(reason) ? CERTIFICATE : DEFAULT_REMEDY);
    super('STATE_LOST', `Redis cannot be used: ${reason}`, { remedy });
    this.reason = reason;
    this.remedy = remedy;
    this.mayBeDone = mayBeDone;
  }
}

/** No answer came in time. */
export const TIMEOUT = 'TIMEOUT';
/** The connection was closed. */
export const CLOSED = 'CLOSED';
/** The state was closed. */
export const STATE_CLOSED = 'STATE_CLOSED';

const DEFAULT_REMEDY = 'Check that Redis runs and can be reached from here. It is tried again every second.';
const CREDENTIALS = 'Check the user and the password of the connection.';
const CERTIFICATE =
  'Node does not trust its certificate: start Node with NODE_EXTRA_CA_CERTS, or give a client with tls.ca.';
const PRIMARY =
  'This server is a replica. Connect to the primary: by its endpoint, by Sentinel or as a cluster.';
const CLUSTER =
  'This server is part of a cluster: give an ioredis Cluster as the connection. If it is one, a slot moves to another shard: wait until that ends.';

/** Redis's error codes, in the order of the search. A code without a remedy has the default one. */
export const REMEDIES: Readonly<Record<string, string | undefined>> = {
  READONLY: PRIMARY,
  OOM: 'Redis is full. Give it more memory, and check whether something else fills it.',
  LOADING: 'Redis loads its data. It is tried again every second.',
  MASTERDOWN: undefined,
  NOREPLICAS: 'Redis has too few replicas to accept writes. Check how many its settings require.',
  MISCONF: 'Redis cannot write to its disk. Check its log.',
  NOAUTH: CREDENTIALS,
  WRONGPASS: CREDENTIALS,
  NOPERM: 'Allow the user the commands and keys that the guide Several gateways lists.',
  MOVED: CLUSTER,
  ASK: CLUSTER,
  CLUSTERDOWN: 'No shard serves some slots of the cluster. Check CLUSTER INFO.',
  TRYAGAIN: 'A slot moves to another shard. Redis is used again once that ends.',
  BUSY: undefined,
  [STATE_CLOSED]: 'The last hook with this state was closed. Give a new hook a new state.',
  WRONGTYPE: 'Something else writes keys with this prefix. Set keyPrefix to another value.',
};
const WORD = new RegExp(`\\b(?:${Object.keys(REMEDIES).join('|')})\\b`);

/** Reads an error of ioredis 5 or 6 by its message, and keeps nothing of that message. */
export function failureOf(error: unknown): RedisFailure {
  if (error instanceof RedisFailure) return error;
  const { name, message, code, lastNodeError } = Object(error) as Readonly<Record<string, unknown>>;
  // A cluster client that could reach none of its nodes.
  if (lastNodeError !== undefined) return failureOf(lastNodeError);
  const text = typeof message === 'string' ? message : '';
  // A cluster client that was redirected too often. If its last error was a redirection, the command was
  // certainly not run; after a closed connection it may have been.
  const isMoving = /^Too many Cluster redirections.*\b(?:ASK|MOVED|TRYAGAIN)\b/.test(text);
  const word = isMoving ? 'TRYAGAIN' : WORD.exec(text)?.[0];
  if (word !== undefined) return new RedisFailure(word, false);
  // A permission that a script lacks: Redis 7 and later omit the code.
  if (/\bACL failure\b/.test(text)) return new RedisFailure('NOPERM', false);
  if (name === 'ReplyError') return new RedisFailure('REFUSED', false);
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code)) return new RedisFailure(code, true);
  // ioredis's words for a command that was not sent.
  const isUnsent = /isn't (?:writeable|ready)/.test(text);
  return new RedisFailure(isUnsent || /closed|ended/i.test(text) ? CLOSED : 'FAILED', !isUnsent);
}
