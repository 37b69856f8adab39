import type { HookEvent, HookEventListener } from '../delivery/events.js';
import {
  TESTER_PREFIX,
  type Execution,
  type ExecutionSummary,
  type History,
  type HistoryLog,
} from '../delivery/history.js';

/** Stands in until the history itself is here: this process's last executions, by event id. */
export function createHistory(parts: {
  readonly log: HistoryLog | undefined;
  readonly clock: () => number;
}): {
  readonly history: History;
  readonly listener: HookEventListener;
  readonly close: () => void;
} {
  const all = new Map<string, HookEvent[]>();
  const watchers = new Set<(changed: readonly ExecutionSummary[]) => void>();
  const fold = (id: string, steps: readonly HookEvent[]): Execution | undefined => {
    const received = steps.find((step) => step.type === 'request.received');
    if (received === undefined) return undefined;
    const answered = steps.find((step) => step.type === 'request.answered');
    return {
      ...received,
      id,
      startedAt: received.at,
      isTest: received.oktaRequestId?.startsWith(TESTER_PREFIX) ?? false,
      outcome:
        answered === undefined
          ? 'running'
          : answered.status === 'SUCCESSFUL'
            ? 'sent'
            : steps.some((step) => step.type === 'guard.blocked')
              ? 'blocked'
              : answered.status === 'PENDING'
                ? 'pending'
                : 'failed',
      channel: answered?.channel,
      provider: answered?.provider,
      code: answered?.code,
      durationMs: answered?.durationMs,
      repeats: steps.filter((step) => step.type === 'request.repeated').length,
      steps,
    };
  };
  const listener = (event: HookEvent): void => {
    if (!('eventId' in event) || event.eventId === undefined) return;
    const steps = all.get(event.eventId) ?? [];
    steps.push(event);
    all.set(event.eventId, steps);
    const changed = fold(event.eventId, steps);
    if (changed !== undefined) for (const watch of watchers) watch([changed]);
  };
  return {
    listener,
    close: () => {
      watchers.clear();
    },
    history: {
      isShared: parts.log !== undefined,
      find: ({ search, channel, outcome, before, limit }) => {
        const found = [...all]
          .map(([id, steps]) => fold(id, steps))
          .filter((one) => one !== undefined)
          .reverse()
          .filter(
            (one) =>
              (search === undefined ||
                JSON.stringify([one.id, one.oktaRequestId, one.userId]).includes(search)) &&
              (channel === undefined || one.channel === channel) &&
              (outcome === undefined || one.outcome === outcome),
          );
        const start = before === undefined ? 0 : found.findIndex(({ id }) => id === before) + 1;
        const executions = found.slice(start, start + limit);
        const next = start + limit < found.length ? executions.at(-1)?.id : undefined;
        return Promise.resolve({ executions, total: found.length, next });
      },
      open: (id) => Promise.resolve(fold(id, all.get(id) ?? [])),
      tally: () => Promise.resolve([]),
      watch: (onChanged) => {
        watchers.add(onChanged);
        return () => watchers.delete(onChanged);
      },
    },
  };
}
