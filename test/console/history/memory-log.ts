import type { HistoryLog } from '#lib/delivery/state.js';

/** A log of batches like the one that gateways share, within this process. */
export interface MemoryLog extends HistoryLog {
  readonly batches: string[];
  /** The number of calls of `append`. */
  readonly appends: number;
  /** The number of calls of `read`. */
  readonly reads: number;
  /** Both methods reject. */
  isLost: boolean;
  /** Adds the next batch, but rejects as if the outcome were unknown. */
  isDoubtful: boolean;
}

export function memoryLog(): MemoryLog {
  const batches: string[] = [];
  let appends = 0;
  let reads = 0;
  return {
    batches,
    isLost: false,
    isDoubtful: false,
    get appends() {
      return appends;
    },
    get reads() {
      return reads;
    },
    append(batch) {
      appends += 1;
      if (this.isLost) return Promise.reject(new Error('lost'));
      batches.push(batch);
      if (!this.isDoubtful) return Promise.resolve();
      this.isDoubtful = false;
      return Promise.reject(new Error('in doubt'));
    },
    read(after, max) {
      reads += 1;
      if (this.isLost) return Promise.reject(new Error('lost'));
      const from = Number(after ?? 0);
      const page = batches.slice(from, from + max);
      return Promise.resolve({
        batches: page,
        cursor: String(from + page.length),
        hasMore: from + page.length < batches.length,
      });
    },
  };
}
