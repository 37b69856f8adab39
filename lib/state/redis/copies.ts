import type {
  RecordKind,
  RecordName,
  RecordValues,
  SuppressionRecord,
  KeptEntry,
} from '../../delivery/records.js';
import { mergeCopies } from '../../delivery/suppressions.js';
import type { Sealing } from './sealing.js';

/**
 * How Redis keeps a record: a copy for each encryption key. A copy is its version, a space, and the sealed value. The version,
 * `count.token`, says which of two copies is newer. The token is of one write alone: a record that is deleted and made again has
 * other versions.
 *
 * With several keys, the sealed text begins with the ids of the keys that got a copy. A gateway with only one of the keys changes one
 * copy, and the others are void then.
 */

export type RecordValue = RecordValues[RecordKind];

/** A version as text; as bytes if something else wrote the value. Empty for a copy that is missing. */
type Version = string | Buffer;

/** What Redis stores of a record, as this process read or wrote it last. */
export interface Stored {
  /** The version of each copy, by encryption key. */
  readonly versions: readonly Version[];
  /** `undefined` if there is none. */
  readonly value: RecordValue | undefined;
  /** By the monotonic clock of this process. */
  readonly endsAtMs: number;
}

/** A copy as Redis replies it: its bytes, empty if there is none, and its remaining life, milliseconds. */
export type CopyReply = readonly [value: Buffer, leftMs: number];

interface OpenedCopy {
  readonly version: Version;
  readonly leftMs: number;
  /** The ids of the keys that got this value; empty if only one did. */
  readonly ids: readonly string[];
  /** `undefined` if it is missing or does not open. */
  readonly value: RecordValue | undefined;
}

const SPACE = ' '.charCodeAt(0);
const VERSION = /^\d+\.[\w-]+$/;

export class RecordCopies {
  readonly #sealings: readonly Sealing[];
  /** Precedes each text, if there are several keys. */
  readonly #idLine: string;
  /** A record of which Redis has nothing. */
  readonly absent: Stored;

  constructor(sealings: readonly Sealing[]) {
    this.#sealings = sealings;
    this.#idLine = sealings.length === 1 ? '' : `${sealings.map(({ id }) => id).join(' ')}\n`;
    this.absent = { versions: sealings.map(() => ''), value: undefined, endsAtMs: Infinity };
  }

  /** The names of the copies in Redis. */
  namesOf({ kind, key }: RecordName): readonly string[] {
    return this.#sealings.map((sealing) => sealing.nameOf(kind, key));
  }

  /** The bytes of each copy. */
  seal(kind: RecordKind, names: readonly string[], version: string, value: RecordValue): readonly Buffer[] {
    const text = `${this.#idLine}${textOf(value)}`;
    return this.#sealings.map((sealing, at) => sealing.seal(kind, names[at] ?? '', text, `${version} `));
  }

  /**
   * Reads the copies of a record.
   *
   * @param nowMs - Redis's time. Suppressions that ended before do not count.
   */
  read(
    kind: RecordKind,
    names: readonly string[],
    replies: readonly CopyReply[],
    nowMs: number,
  ): Stored & { readonly isUnreadable: boolean } {
    const copies = replies.map((reply, at) => this.#open(kind, names[at] ?? '', at, reply));
    const versions = copies.map(({ version }) => version);
    const found = kind === 'suppressions' ? merged(copies, nowMs) : newestOf(copies, this.#sealings);
    const isUnreadable =
      found === undefined && copies.some(({ version, value }) => version !== '' && value === undefined);
    const endsAtMs = performance.now() + (found?.leftMs ?? 0);
    return { versions, value: found?.value, endsAtMs, isUnreadable };
  }

  /** The suppressions in each copy that have not ended at `nowMs`, by Redis's clock. A value that does not open counts as empty. */
  entriesIn(
    names: readonly string[],
    values: readonly Buffer[],
    nowMs: number,
  ): readonly (readonly KeptEntry[])[] {
    return values.map((value, at) =>
      entriesAt(this.#open('suppressions', names[at] ?? '', at, [value, 0]).value, nowMs),
    );
  }

  /** Whose suppressions a value holds, whichever key sealed it. */
  recipientIn(name: string, value: Buffer): string | undefined {
    const opened = this.#sealings.map((_, at) => this.#open('suppressions', name, at, [value, 0]).value);
    return opened.find(isSuppressionRecord)?.recipient;
  }

  #open(kind: RecordKind, name: string, at: number, [bytes, leftMs]: CopyReply): OpenedCopy {
    const end = bytes.indexOf(SPACE);
    const head = end < 0 ? bytes : bytes.subarray(0, end);
    const word = head.toString('latin1');
    const version = word === '' || VERSION.test(word) ? word : head;
    const text = end < 0 ? undefined : this.#sealings[at]?.open(kind, name, bytes.subarray(end + 1));
    if (text === undefined) return { version, leftMs, ids: [], value: undefined };
    const lineEnd = text.indexOf('\n');
    const ids = lineEnd < 0 ? [] : text.slice(0, lineEnd).split(' ');
    return { version, leftMs, ids, value: valueOf(kind, text.slice(lineEnd + 1)) };
  }
}

/** What Redis has, if it is not what was expected. */
export interface ExchangeReply {
  readonly keeperMs: number;
  readonly replies: readonly CopyReply[];
}

/** Reads the reply of `exchange`: Redis's time, then the value and the remaining life of each copy. */
export function readReply(reply: unknown): ExchangeReply {
  const [time, ...words] = reply as readonly [Buffer, ...(Buffer | number)[]];
  const replies = words.flatMap((value, at): readonly CopyReply[] =>
    Buffer.isBuffer(value) ? [[value, Number(words[at + 1])]] : [],
  );
  return { keeperMs: Number(time), replies };
}

/** How often a record was changed, as its versions say; 0 if there is none. */
export function countOf({ versions }: Stored): number {
  return Math.max(...versions.map((version) => Number.parseInt(String(version), 10) || 0));
}

/** The version that follows what is stored. Its token makes it unlike any other. */
export function nextVersion(stored: Stored, token: string): string {
  return `${countOf(stored) + 1}.${token}`;
}

/** The newest copy that is not void. */
function newestOf(copies: readonly OpenedCopy[], sealings: readonly Sealing[]): OpenedCopy | undefined {
  const valid = copies.filter(
    ({ version, ids, value }) =>
      value !== undefined &&
      // A copy that got this value has it no more: it was changed, or has expired since.
      sealings.every(({ id }, at) => !ids.includes(id) || copies[at]?.version === version),
  );
  const countOf = ({ version }: OpenedCopy): number => Number.parseInt(String(version), 10);
  return valid.reduce<OpenedCopy | undefined>(
    (best, copy) => (best === undefined || countOf(copy) > countOf(best) ? copy : best),
    undefined,
  );
}

/** All suppressions of all copies: a STOP or START that only one copy has must not be lost. */
function merged(
  copies: readonly OpenedCopy[],
  nowMs: number,
): { readonly value: SuppressionRecord; readonly leftMs: number } | undefined {
  const recipient = copies.map(({ value }) => value).find(isSuppressionRecord)?.recipient;
  const entries = copies.map(({ value }) => entriesAt(value, nowMs)).reduce(mergeCopies);
  if (recipient === undefined || entries.length === 0) return undefined;
  return {
    value: { recipient, entries },
    leftMs: Math.max(...entries.map(({ untilMs }) => untilMs)) - nowMs,
  };
}

function entriesAt(value: RecordValue | undefined, nowMs: number): readonly KeptEntry[] {
  return isSuppressionRecord(value) ? value.entries.filter(({ untilMs }) => untilMs > nowMs) : [];
}

function isSuppressionRecord(value: RecordValue | undefined): value is SuppressionRecord {
  return value !== undefined && 'entries' in value;
}

/** `undefined` for a text that another version of a gateway wrote. */
function valueOf(kind: RecordKind, text: string): RecordValue | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const isReadable =
    typeof value === 'object' &&
    value !== null &&
    (kind !== 'suppressions' || ('entries' in value && Array.isArray(value.entries)));
  // Only a gateway of this version seals values of this kind (`sealing.ts`).
  return isReadable ? (value as RecordValue) : undefined;
}

/** @throws TypeError if the value cannot be serialised. */
function textOf(value: RecordValue): string {
  try {
    return JSON.stringify(value);
  } catch {
    // The `raw` of a request may be nested too deeply or, after a custom body parser, be cyclic.
    return JSON.stringify(value, (name, field: unknown) => (name === 'raw' ? undefined : field));
  }
}
