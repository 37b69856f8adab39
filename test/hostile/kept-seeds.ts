/** A case that has failed once. It holds as long as the arbitraries of its property stay as they were. */
export interface KeptSeed {
  /** The property's name, as it is given to `check`. */
  readonly property: string;
  readonly seed: number;
  /** As fast-check reported it: the way to the smallest case. */
  readonly path: string;
  /** What the smallest case was, and what went wrong. */
  readonly why: string;
}

/** Every one is replayed before the random cases. */
export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    property: 'repeats',
    seed: 7,
    path: '28:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0',
    why: 'An event whose code lives for a millisecond, twice at once: each was sent, for the first one was forgotten while it ran.',
  },
  {
    property: 'indiscretions',
    seed: 7,
    path: '55:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:1:4:4:4:4:4:4',
    why: 'A last name with a hyphen in a transaction id: told, for it is no single word.',
  },
  {
    property: 'misplaced fields',
    seed: 7,
    path: '0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0',
    why: "The code in Okta's request id: told in the log and the events; so it was in the request type.",
  },
  {
    property: "answers of Okta's key server",
    seed: 7,
    path: '26:1:2:2:2',
    why: 'A key that cannot be imported: 500, and for as long as keys are fresh, instead of 503.',
  },
  {
    property: 'outcomes of any shape',
    seed: 20261125,
    path: '8472:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1:1:1:2:2:2',
    why: 'A refusal whose code is an empty text: named as nothing in the metadata.',
  },
];
