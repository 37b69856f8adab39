/** Every metric by its name without the prefix, with its help and labels. `npm run docs:reference` makes docs/reference/metrics.md of it. */

export const PREFIX = 'okta_telephony_hook_';

export interface MetricRow {
  /** The help text on the metrics page. */
  readonly help: string;
  readonly labels: readonly string[];
  /** For a histogram, in seconds. */
  readonly buckets?: readonly number[] | undefined;
}

export const COUNTERS = {
  codes_total: {
    help: 'Codes that Okta requested, by outcome, without previews and repeats',
    labels: ['channel', 'outcome', 'country', 'request_type'],
  },
  opt_in_total: {
    help: 'Codes by what the opt-in attribute says, and by channel, without previews and repeats',
    labels: ['opt_in', 'channel'],
  },
  repeats_total: {
    help: 'Repeated events, by the outcome of the first call',
    labels: ['outcome'],
  },
  previews_total: {
    help: "Okta's previews, and tests of the console, by outcome",
    labels: ['outcome'],
  },
  attempts_total: {
    help: 'Attempts to send a code, those of late failover included',
    labels: ['channel', 'provider', 'outcome', 'code'],
  },
  resends_total: {
    help: 'Codes that users requested again and that went by the next route, by the channel of the earlier code',
    labels: ['channel'],
  },
  late_results_total: {
    help: 'Results of attempts whose outcome was unknown when Okta was answered',
    labels: ['channel', 'provider', 'outcome', 'code'],
  },
  late_failovers_total: {
    help: 'Codes that were not delivered, by why (cause) and by the outcome of late failover',
    labels: ['from_channel', 'cause', 'channel', 'outcome', 'code'],
  },
  guard_blocks_total: {
    help: 'Codes that the guard blocked, or would have blocked in mode record, by the first broken rule',
    labels: ['rule', 'mode', 'country'],
  },
  codes_used_total: {
    help: "Codes that users signed in or enrolled with, as Okta's event hook reports",
    labels: ['channel', 'country'],
  },
  message_statuses_total: {
    help: 'Reports about accepted messages; each callback counts',
    labels: ['channel', 'report', 'status', 'code'],
  },
  inbound_messages_total: {
    help: 'What users wrote to the senders',
    labels: ['channel', 'keyword'],
  },
  profile_reads_total: {
    help: 'Where profiles came from, and why not fresh from Okta',
    labels: ['source', 'reason'],
  },
  okta_pauses_total: {
    help: "How often the hook stopped calling Okta's Users API, for its rate limit",
    labels: ['reason'],
  },
  okta_fallbacks_total: {
    help: "Calls that Okta gave up on, as its event hook reports, by what Okta's reason is about",
    labels: ['reason'],
  },
  state_losses_total: {
    help: 'How often the shared state was lost',
    labels: [],
  },
  breaker_openings_total: {
    help: 'How often a circuit breaker opened because a host did not answer',
    labels: ['host'],
  },
  rejected_calls_total: {
    help: 'Rejected calls; those without authentication count within a minute',
    labels: ['code'],
  },
  warnings_total: {
    help: 'Other things that an operator must know, by the event in the log',
    labels: ['event'],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export const HISTOGRAMS = {
  stage_duration_seconds: {
    help: 'Duration of the stages of a call: profile, each attempt that was made, the whole call',
    labels: ['stage', 'channel'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 2.5],
  },
  budget_left_seconds: {
    help: 'What was left of the send window when a call was answered',
    labels: [],
    buckets: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

export const GAUGES = {
  breaker_state: {
    help: 'The circuit breaker of each host: 0 closed, 1 half-open, 2 open',
    labels: ['host'],
  },
  state_up: {
    help: '1 while the shared state can be reached, 0 while it is lost',
    labels: [],
  },
  guard_level: {
    help: 'How full the levels of guard.learn are, as the gateway last saw them: 1 is the limit. learn.prefix is the last prefix of the country',
    labels: ['rule', 'country'],
  },
  guard_blind: {
    help: '1 while guard.learn sees no used codes and blocks nothing, else 0. Only with guard.learn',
    labels: [],
  },
  calls_in_flight: {
    help: 'Calls that are not answered yet, and late failovers in progress',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricRow>>;

type LabelsOf<Row extends MetricRow> = Readonly<Record<Row['labels'][number], string>>;

/** The metrics that events change. */
export type Instruments = {
  readonly [Key in keyof typeof COUNTERS]: {
    inc(labels: LabelsOf<(typeof COUNTERS)[Key]>, count?: number): void;
  };
} & {
  readonly [Key in keyof typeof HISTOGRAMS]: {
    observe(labels: LabelsOf<(typeof HISTOGRAMS)[Key]>, seconds: number): void;
  };
};
