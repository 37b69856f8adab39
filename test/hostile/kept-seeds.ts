/** A case that has failed once. It is valid as long as the arbitraries of its property do not change. */
export interface KeptSeed {
  /** The name of the property in the call of `check`. */
  readonly property: string;
  readonly seed: number;
  /** The path to the smallest case, as fast-check reported it. */
  readonly path: string;
  /** The smallest case, and what went wrong. */
  readonly why: string;
}

/** Each run replays these before the random cases. */
export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    property: 'repeats',
    seed: 7,
    path: '28:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0',
    why: 'An event whose code is valid for a millisecond, twice at once: the hook sent both, because it forgot the first one while that ran.',
  },
  {
    property: 'indiscretions',
    seed: 7,
    path: '55:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:4:4:4:4:4:4',
    why: 'A last name with a hyphen in a transaction id: not masked, because it is no single word.',
  },
  {
    property: 'misplaced fields',
    seed: 7,
    path: '0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0',
    why: "The code in Okta's request id or request type: log and events contained it.",
  },
  {
    property: "answers of Okta's key server",
    seed: 7,
    path: '26:1:2:2:2',
    why: 'A key that cannot be imported: 500 instead of 503, as long as the keys were cached.',
  },
  {
    property: 'outcomes of any shape',
    seed: 20261125,
    path: '8472:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1:1:1:2:2:2',
    why: 'A refusal with an empty code: the metadata had no code.',
  },
  {
    property: 'answers of Twilio',
    seed: 1256039216,
    path: '37:2:1:1:2:2:2:2:2:2:2:2:2:2:2:2:2:2:2',
    why: 'A 304 that announces seven bytes and has none: the test took it for complete, and the HTTP client does not.',
  },
];
