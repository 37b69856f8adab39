import type { Flow, FlowWay } from '../history/answers.js';
import { nameChannel } from '../../events/description.js';
import { formatCount, formatPercent } from './format.js';

/** The way of codes as rows: each says how many codes came that far, and which share of the step before that is. */

export interface FlowRow {
  readonly label: string;
  /** 0 for all codes, 1 for their first channel, 2 and 3 for what follows. */
  readonly depth: number;
  /** The class of its colour. */
  readonly name: string;
  readonly count: number;
  /** The codes that the share is of. */
  readonly of: number;
  /** Names these codes. */
  readonly ofWhat: string;
}

export function rowsOf({ asked, ways }: Flow): readonly FlowRow[] {
  const all: FlowRow = {
    label: 'Requested by Okta',
    depth: 0,
    name: 'asked',
    count: asked,
    of: asked,
    ofWhat: 'all codes',
  };
  return [all, ...firstsOf(ways).flatMap((first) => rowsOfChannel(first, ways, asked))];
}

/** E.g. `15 % of the WhatsApp codes failed over: 30 before the answer to Okta, 60 after it.` */
export function sayFailovers({ ways }: Flow): readonly string[] {
  const sentences = firstsOf(ways).flatMap((first) => {
    const own = ways.filter((way) => way.first === first);
    const [early, late] = (['early', 'late'] as const).map((kind) =>
      countOf(own.filter(({ failover }) => failover === kind)),
    );
    if (first === undefined || early === undefined || late === undefined || early + late === 0) return [];
    const share = formatPercent(early + late, countOf(own));
    return [
      `${share} of the ${nameChannel(first)} codes failed over: ${formatCount(early)} before the answer to Okta, ${formatCount(late)} after it.`,
    ];
  });
  return sentences.length > 0 ? sentences : ['No code failed over.'];
}

/** The channels of the first attempts, those with the most codes first; `undefined` for none is last. */
function firstsOf(ways: readonly FlowWay[]): readonly (string | undefined)[] {
  const size = (first: string | undefined): number => countOf(ways.filter((way) => way.first === first));
  return [...new Set(ways.map(({ first }) => first))].sort(
    (one, other) => Number(one === undefined) - Number(other === undefined) || size(other) - size(one),
  );
}

function rowsOfChannel(
  first: string | undefined,
  ways: readonly FlowWay[],
  asked: number,
): readonly FlowRow[] {
  const own = ways.filter((way) => way.first === first);
  const count = countOf(own);
  const inAsked = { depth: 1, count, of: asked, ofWhat: 'all codes' };
  if (first === undefined) return [{ label: 'Blocked, or not sent', name: 'blocked', ...inAsked }];
  const channel = nameChannel(first);
  const ofChannel = { depth: 2, of: count, ofWhat: `the ${channel} codes` };
  const failedOver = own.filter(({ failover }) => failover !== undefined);
  const lasts = [...new Set(failedOver.map(({ last }) => last))];
  return [
    { label: channel, name: 'channel', ...inAsked },
    ...(failedOver.length === 0
      ? []
      : [{ label: 'failed over', name: 'failedOver', ...ofChannel, count: countOf(failedOver) }]),
    ...lasts.map((last) => ({
      label: `then ${last === first ? `${channel} by another provider` : nameChannel(last ?? 'unknown')}`,
      name: 'channel',
      depth: 3,
      count: countOf(failedOver.filter((way) => way.last === last)),
      of: countOf(failedOver),
      ofWhat: `the ${channel} codes that failed over`,
    })),
    {
      label: 'delivered',
      name: 'delivered',
      ...ofChannel,
      count: own.reduce((sum, { delivered }) => sum + delivered, 0),
    },
    { label: 'used', name: 'used', ...ofChannel, count: own.reduce((sum, { used }) => sum + used, 0) },
  ];
}

function countOf(ways: readonly FlowWay[]): number {
  return ways.reduce((sum, { count }) => sum + count, 0);
}
