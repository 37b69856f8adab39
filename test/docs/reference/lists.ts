import { WARNINGS } from '#lib/events/describe-warning.js';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX, type MetricRow } from '#lib/events/metric-table.js';

/** The page of the metrics, from their table. */
export function metricsPage(): string {
  const rows = (metrics: Readonly<Record<string, MetricRow>>): string =>
    Object.entries(metrics)
      .map(([name, { help, labels, buckets }]) => {
        const shown =
          labels.length === 0 ? '' : ` Labels: ${labels.map((label) => `\`${label}\``).join(', ')}.`;
        const limits = buckets === undefined ? '' : ` Buckets: ${buckets.join(', ')} s.`;
        return `- \`${name}\`: ${help}.${shown}${limits}`;
      })
      .join('\n');
  return `# Metrics

Each name begins with \`${PREFIX}\`. [Monitor](../run/monitor.md) says how to serve the metrics, and what the labels mean.

## Counters

${rows(COUNTERS)}

## Histograms

${rows(HISTOGRAMS)}

## Gauges

${rows(GAUGES)}
`;
}

/** The page of the warnings at start, from the table of their sentences. */
export function warningsPage(): string {
  const rows = Object.entries(WARNINGS).map(
    ([option, { text, remedy }]) =>
      `- \`${option}\`: ${capital(text)}.${remedy === undefined ? '' : ` _${remedy}_`}`,
  );
  return `# Start-up warnings

An option can work, and still be a mistake. The middleware then writes one \`configuration.warned\` line for each such option when you create it. The line for \`path\` comes with the first request that [matches no route](../start/mount.md#okta-gets-404), that for \`optInAttribute\` with the first [unusable value](../deliver/opt-in.md#why-a-user-gets-sms).

\`where\` in the line names the affected parts. \`remedy\` says what to do. It stands in italics here.

${rows.join('\n')}
`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
