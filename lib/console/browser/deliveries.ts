import type { ChannelTally } from '../../core/history.js';
import { drawing, element } from '../../http/page/browser/dom.js';
import { makeLegend, makeNumbersRow, makeNumbersTable } from './widgets.js';
import { formatCount } from './format.js';
import { nameChannel } from '../../events/description.js';

/** Deliveries by channel: bars, and the same numbers as a table. */

interface Share {
  readonly name: string;
  readonly meaning: string;
  readonly countOf: (tally: ChannelTally) => number;
}

/** Each message counts in exactly one of them. */
const SHARES: readonly Share[] = [
  { name: 'delivered', meaning: 'Delivered', countOf: ({ delivered }) => delivered },
  {
    name: 'accepted',
    meaning: 'Accepted, no report yet',
    countOf: ({ accepted, delivered, undelivered }) => Math.max(0, accepted - delivered - undelivered),
  },
  { name: 'unknown', meaning: 'Unknown', countOf: ({ unknown }) => unknown },
  { name: 'undelivered', meaning: 'Not delivered', countOf: ({ undelivered }) => undelivered },
  { name: 'refused', meaning: 'Refused', countOf: ({ refused }) => refused },
  { name: 'blocked', meaning: 'Blocked by a fraud filter', countOf: ({ blocked }) => blocked },
];

export function showDeliveries(tallies: readonly ChannelTally[]): HTMLElement {
  const most = Math.max(1, ...tallies.map(sizeOf));
  return element(
    'div',
    makeLegend(SHARES),
    element(
      'div.deliveries',
      { 'aria-hidden': 'true' },
      ...tallies.flatMap((tally) => [
        element('span.label', nameChannel(tally.channel)),
        drawBar(tally, most),
        element('span.took', formatCount(sizeOf(tally))),
      ]),
    ),
    makeNumbersTable(
      'Deliveries by channel, as numbers',
      ['Channel', ...SHARES.map(({ meaning }) => meaning), 'Codes used'],
      {
        caption: element('caption.unseen', 'Messages by channel'),
        body: element('tbody', ...tallies.map(writeTally)),
      },
    ),
  );
}

function sizeOf(tally: ChannelTally): number {
  return SHARES.reduce((sum, { countOf }) => sum + countOf(tally), 0);
}

function drawBar(tally: ChannelTally, most: number): SVGSVGElement {
  let from = 0;
  const parts = SHARES.flatMap(({ name, countOf }) => {
    const count = countOf(tally);
    if (count === 0) return [];
    const part = drawing(`rect.share.${name}`, {
      x: `${((100 * from) / most).toFixed(2)}%`,
      width: `${((100 * count) / most).toFixed(2)}%`,
      height: 24,
    });
    from += count;
    return [part];
  });
  return drawing('svg', { width: '100%', height: 24, focusable: 'false' }, ...parts);
}

function writeTally(tally: ChannelTally): HTMLElement {
  const counts = [...SHARES.map(({ countOf }) => countOf(tally)), tally.used];
  return makeNumbersRow(nameChannel(tally.channel), counts.map(formatCount));
}
