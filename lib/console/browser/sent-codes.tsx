import { nameChannel } from '../../events/description.js';
import type { SentCount } from '../history/answers.js';
import { formatCount, formatPercent } from './format.js';
import { SortableTable, type Column } from './sortable-table.js';

const COLUMNS: readonly Column<SentCount>[] = [
  { name: 'Country', by: ({ country }) => country ?? 'unknown' },
  { name: 'Channel', by: ({ channel }) => nameChannel(channel) },
  { name: 'Provider', by: ({ provider }) => provider },
  { name: 'Sent', by: ({ sent }) => sent, show: ({ sent }) => formatCount(sent) },
  { name: 'Used', by: ({ used }) => used, show: ({ used }) => formatCount(used) },
  {
    name: 'Share used',
    by: ({ sent, used }) => used / sent,
    show: ({ sent, used }) => formatPercent(used, sent),
  },
];

/** Sent and used codes by country, channel and provider, so that people choose their routes by figures. */
export function SentCodes({ counts }: { readonly counts: readonly SentCount[] }) {
  return (
    <>
      <p class="quiet">
        Codes of sign-ins and enrollments, whose use Okta reports. A code that failed over counts as sent for
        each provider that had it.
      </p>
      <SortableTable
        label="Sent and used codes by country, channel and provider"
        columns={COLUMNS}
        rows={counts}
        keyOf={({ country, channel, provider }) => JSON.stringify([country, channel, provider])}
      />
    </>
  );
}
