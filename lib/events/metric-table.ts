/** Every metric: its name, what it tells, and by what. The README's table says the same. */

export const PREFIX = 'okta_telephony_hook_';

export interface MetricRow {
  /** Without the prefix. */
  readonly name: string;
  /** As the page says it. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram, seconds. */
  readonly buckets?: readonly number[] | undefined;
}

export const COUNTERS = {
  codes: {
    name: 'codes_total',
    help: 'Codes that Okta asked for, by what it was answered; previews and repeats not',
    labels: ['channel', 'outcome', 'country', 'request_type'],
  },
  repeats: {
    name: 'repeats_total',
    help: 'Events that came again, by the answer that they got again',
    labels: ['outcome'],
  },
  previews: {
    name: 'previews_total',
    help: "Previews of Okta's, and tests of the console, by what they were answered",
    labels: ['outcome'],
  },
  attempts: {
    name: 'attempts_total',
    help: 'Attempts to send a code, those of late failover included',
    labels: ['channel', 'provider', 'outcome', 'code'],
  },
  lateResults: {
    name: 'late_results_total',
    help: 'What became of attempts that were unknown when Okta was answered',
    labels: ['channel', 'provider', 'outcome', 'code'],
  },
  lateFailovers: {
    name: 'late_failovers_total',
    help: 'Codes that did not arrive, by what became of sending them by the next channel',
    labels: ['from_channel', 'channel', 'outcome', 'code'],
  },
  guardBlocks: {
    name: 'guard_blocks_total',
    help: 'What the guard held back, or would have in mode record, by the first rule that was broken',
    labels: ['rule', 'mode', 'country'],
  },
  codesUsed: {
    name: 'codes_used_total',
    help: "Codes that users signed in or enrolled with, as Okta's event hook tells",
    labels: ['channel', 'country'],
  },
  messageStatuses: {
    name: 'message_statuses_total',
    help: 'What was told of messages after they were accepted; each callback counts',
    labels: ['channel', 'status', 'code'],
  },
  inboundMessages: {
    name: 'inbound_messages_total',
    help: 'What users wrote to the senders',
    labels: ['channel', 'keyword'],
  },
  profileReads: {
    name: 'profile_reads_total',
    help: 'Where profiles came from, and why not fresh from Okta',
    labels: ['source', 'reason'],
  },
  oktaPauses: {
    name: 'okta_pauses_total',
    help: "Times that Okta's Users API was left alone, for its rate limit",
    labels: ['reason'],
  },
  stateLosses: {
    name: 'state_losses_total',
    help: 'Times that the state which gateways share was lost',
    labels: [],
  },
  breakerOpenings: {
    name: 'breaker_openings_total',
    help: 'Times that a host which did not answer was given up for a while',
    labels: ['host'],
  },
  rejectedCalls: {
    name: 'rejected_calls_total',
    help: 'Calls of any route that were turned away; of unproven callers up to a minute late',
    labels: ['code'],
  },
  warnings: {
    name: 'warnings_total',
    help: 'What else an operator must know, by the event that tells it in the log',
    labels: ['event'],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export const HISTOGRAMS = {
  stageDuration: {
    name: 'stage_duration_seconds',
    help: 'What the stages of a call took: profile, each attempt that was made, the whole call',
    labels: ['stage', 'channel'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5],
  },
  budgetLeft: {
    name: 'budget_left_seconds',
    help: "What was left of a call's time when it was answered",
    labels: [],
    buckets: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export const GAUGES = {
  breakerState: {
    name: 'breaker_state',
    help: 'Of each host: 0 asked as usual, 1 being tried again, 2 given up for a while',
    labels: ['host'],
  },
  stateUp: {
    name: 'state_up',
    help: '1 while the state which gateways share is there, 0 while it is lost',
    labels: [],
  },
  callsInFlight: {
    name: 'calls_in_flight',
    help: 'Calls that are not answered yet, and late failovers that are under way',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

type LabelsOf<Row extends MetricRow> = Readonly<Record<Row['labels'][number], string>>;

/** All that is counted and measured by events. */
export type Instruments = {
  readonly [Key in keyof typeof COUNTERS]: {
    inc(labels: LabelsOf<(typeof COUNTERS)[Key]>, count?: number): void;
  };
} & {
  readonly [Key in keyof typeof HISTOGRAMS]: {
    observe(labels: LabelsOf<(typeof HISTOGRAMS)[Key]>, seconds: number): void;
  };
};
