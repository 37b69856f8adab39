import { between, pick } from '../chance.js';
import type { Cut, Fault } from './steps.js';

/** Makes random faults. */

/** @param gateway - the gateway that it hits, if it hits one. */
export type MakeFault = (chance: () => number, gateway: number) => Fault;

/** To Redis and back together: less than a command may take. */
const LONGEST_WAY_MS = 135;
const OOM = "OOM command not allowed when used memory > 'maxmemory'.";
const READ_ONLY = "READONLY You can't write against a read only replica.";
const CUTS: readonly Cut[] = ['before', 'after', 'within'];

export const cutBy = (chance: () => number): Cut => CUTS[between(chance, 0, CUTS.length - 1)] ?? 'after';
const skipBy = (chance: () => number): number =>
  pick(chance, [
    [3, 0, 2],
    [2, 3, 8],
  ]);
const downBy = (chance: () => number): number => between(chance, 100, 1_500);

const cutAtCommand: MakeFault = (chance, gateway) => ({
  ...{ kind: 'cut at a command', gateway, skip: skipBy(chance), cut: cutBy(chance) },
});
const killAtCommand: MakeFault = (chance, gateway) => ({
  ...{ kind: 'kill at a command', gateway, skip: skipBy(chance), cut: cutBy(chance), forMs: downBy(chance) },
});
const slowCommand: MakeFault = (chance, gateway) => ({
  ...{ kind: 'slow command', gateway, skip: skipBy(chance), forMs: between(chance, 30, LONGEST_WAY_MS) },
});
const slowWay: MakeFault = (chance, gateway) => {
  const to = between(chance, 0, LONGEST_WAY_MS);
  const delayMs = { to, from: between(chance, 0, LONGEST_WAY_MS - to) };
  return { kind: 'slow way', gateway, forMs: between(chance, 500, 6_000), delayMs };
};

/** Those of a gateway that remembers alone. */
export const GATEWAY_FAULTS: readonly MakeFault[] = [
  (chance, gateway) => ({ kind: 'kill', gateway, forMs: downBy(chance) }),
  (chance) => ({ kind: 'kill at a send', isBefore: chance() < 0.5, forMs: downBy(chance) }),
  (_, gateway) => ({ kind: 'restart', gateway }),
];

/** Those that find more stand here more than once. */
export const FAULTS: readonly MakeFault[] = [
  ...[cutAtCommand, cutAtCommand, cutAtCommand],
  ...[killAtCommand, killAtCommand],
  ...[slowCommand, slowCommand, slowWay],
  (_, gateway) => ({ kind: 'cut', gateway }),
  (chance, gateway) => ({
    ...{ kind: 'slow connect', gateway, forMs: between(chance, 500, 6_000) },
    connectMs: between(chance, 100, 900),
  }),
  (chance, gateway) => ({ kind: 'no way', gateway, forMs: between(chance, 100, 3_000) }),
  (chance) => ({
    kind: 'frozen Redis',
    forMs: pick(chance, [
      [2, 20, 140],
      [3, 150, 3_000],
    ]),
  }),
  (chance) => ({
    ...{ kind: 'refusing Redis', forMs: between(chance, 200, 3_000) },
    refusal: chance() < 0.5 ? OOM : READ_ONLY,
  }),
  (chance) => ({ kind: 'resharding Redis', forMs: between(chance, 20, 1_500) }),
  (chance) => ({ kind: 'failover', behindMs: between(chance, 0, 2_000), forMs: between(chance, 50, 2_000) }),
  (chance) => ({ kind: 'clock jump', byMs: between(chance, -4_000, 4_000) }),
  () => ({ kind: 'flushed Redis' }),
  (chance) => ({ kind: 'evicting Redis', share: chance() }),
  ...GATEWAY_FAULTS,
];
