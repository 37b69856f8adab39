import type {
  Known,
  Next,
  NextRecords,
  RecordKind,
  RecordName,
  RecordState,
  RecordValues,
} from '#lib/delivery/records.js';
import type { StatePort } from '#lib/delivery/state.js';
import { MemoryRecords } from '#lib/state/memory/memory-state.js';

/** One record in an update: what the state knew of it, and what it becomes; `next` is `undefined` if it stays. */
export type RecordChange = {
  [Kind in RecordKind]: {
    readonly kind: Kind;
    readonly key: string;
    readonly known: Known<RecordValues[Kind]> | undefined;
    readonly next: Next<RecordValues[Kind]> | undefined;
  };
}[RecordKind];

/** The state, with a listener for each record of each update. */
export function watchRecords(state: StatePort, onChange: (change: RecordChange) => void): StatePort {
  return {
    ...state,
    update: (names, transition) =>
      state.update(names, (known, moment) => {
        const after = transition(known, moment);
        for (const [at, { kind, key }] of names.entries())
          // The type of each record follows from its kind.
          onChange({ kind, key, known: known[at], next: after.next?.[at] } as RecordChange);
        return after;
      }),
  };
}

/**
 * The state, with something before each update and each read of records of these kinds: it throws, rejects, or resolves when the
 * state may go on.
 */
export function beforeRecords(
  state: StatePort,
  kinds: readonly RecordKind[],
  before: (names: readonly RecordName[], how: 'update' | 'read') => Promise<unknown>,
): StatePort {
  const isAbout = (names: readonly RecordName[]): boolean => names.some(({ kind }) => kinds.includes(kind));
  return {
    ...state,
    update: (names, transition) =>
      isAbout(names)
        ? before(names, 'update').then(() => state.update(names, transition))
        : state.update(names, transition),
    read: (names, read) =>
      isAbout(names) ? before(names, 'read').then(() => state.read(names, read)) : state.read(names, read),
  };
}

const GONE = { value: undefined };

/** A request to records that are kept elsewhere. */
export interface RecordRequest {
  readonly how: 'update' | 'read';
  readonly names: readonly RecordName[];
}

/**
 * How a gateway sees records that are kept elsewhere, as in Redis: an update of it counts for `recall` at once, and reaches the
 * records in its turn, after earlier updates of its first record. What it reads counts, too. Records of other kinds are there at once.
 *
 * @param inTurn - does the work when its turn comes.
 */
export function remoteRecords(
  records: RecordState,
  kinds: readonly RecordKind[],
  inTurn: <Result>(request: RecordRequest, work: () => Promise<Result>) => Promise<Result>,
): RecordState {
  /** What the gateway has written. */
  const own = new MemoryRecords();
  /** The last update of each first record, until it has ended. */
  const last = new Map<string, Promise<unknown>>();
  const isRemote = (names: readonly RecordName[]): boolean => names.some(({ kind }) => kinds.includes(kind));
  return {
    update: async (names, transition) => {
      if (!isRemote(names)) return records.update(names, transition);
      void own.update(names, transition);
      const first = `${names[0]?.kind} ${names[0]?.key}`;
      const before = last.get(first);
      const updating = (async () => {
        await before;
        return inTurn({ how: 'update', names }, () =>
          records.update(names, (known, moment) => {
            const { next, result } = transition(known, moment);
            const now = known.map(
              (record, at) => next?.[at] ?? (record && { ...record, lifeMs: record.leftMs }),
            );
            // A place for each record.
            return { next, result: { result, now: now as unknown as NextRecords<typeof names> } };
          }),
        );
      })();
      last.set(first, updating);
      const answer = await updating;
      // Later updates of the gateway count, too.
      if (last.get(first) === updating) {
        last.delete(first);
        if (answer !== undefined) void own.update(names, () => ({ next: answer.now, result: undefined }));
      }
      return answer?.result;
    },
    read: async (names, read) => {
      if (!isRemote(names)) return records.read(names, read);
      return inTurn({ how: 'read', names }, () =>
        records.read(names, (known, moment) => {
          // What was read counts, unless an update waits.
          const now = known.map((record) => ({ ...(record ?? GONE), lifeMs: record?.leftMs ?? 0 }));
          if (last.size === 0)
            void own.update(names, () => ({
              next: now as unknown as NextRecords<typeof names>,
              result: undefined,
            }));
          return read(known, moment);
        }),
      );
    },
    recall: (name) => (isRemote([name]) ? own : records).recall(name),
  };
}
