import type { ChannelTally } from '../history/answers.js';
import { nameChannel } from '../../events/description.js';
import { formatCount, percentOf } from './format.js';
import { Legend, NumbersTable, Share, type ChartPart } from './widgets.js';

interface Share extends ChartPart {
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

/** Deliveries by channel: bars, and the same numbers as a table. */
export function Deliveries({ tallies }: { readonly tallies: readonly ChannelTally[] }) {
  const most = Math.max(1, ...tallies.map(sizeOf));
  return (
    <div>
      <Legend parts={SHARES} />
      <div class="deliveries" aria-hidden="true">
        {tallies.map((tally) => (
          <>
            <span class="label">{nameChannel(tally.channel)}</span>
            <SharesBar tally={tally} most={most} />
            <span class="took">{formatCount(sizeOf(tally))}</span>
          </>
        ))}
      </div>
      <details>
        <summary>The same as a table</summary>
        <NumbersTable
          label="Deliveries by channel, as numbers"
          columns={['Channel', ...SHARES.map(({ meaning }) => meaning), 'Codes used']}
          rows={tallies.map((tally) => {
            const counts = [...SHARES.map(({ countOf }) => countOf(tally)), tally.used];
            return [nameChannel(tally.channel), ...counts.map(formatCount)];
          })}
        />
      </details>
    </div>
  );
}

function sizeOf(tally: ChannelTally): number {
  return SHARES.reduce((sum, { countOf }) => sum + countOf(tally), 0);
}

function SharesBar({ tally, most }: { readonly tally: ChannelTally; readonly most: number }) {
  let end = 0;
  return (
    <svg width="100%" height={24} focusable="false">
      {SHARES.map(({ name, countOf }) => {
        const [start, count] = [end, countOf(tally)];
        end += count;
        if (count === 0) return null;
        return <Share name={name} x={percentOf(start, most)} width={percentOf(count, most)} height={24} />;
      })}
    </svg>
  );
}
