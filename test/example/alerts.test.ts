import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { COUNTERS, GAUGES, HISTOGRAMS, PREFIX } from '#lib/events/metric-table.js';
import { ROOT } from '#harness/consumer.js';
import { sectionOf } from '../docs/pages.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = parse(readFileSync(join(ROOT, 'example/deploy/alerts.yaml'), 'utf8')) as {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
};
const rules = groups.flatMap((group) => group.rules);

/** Each series on the metrics page, with its labels. */
const series = new Map<string, readonly string[]>();
for (const [name, { labels }] of Object.entries({ ...COUNTERS, ...GAUGES }))
  series.set(PREFIX + name, labels);
for (const [name, { labels }] of Object.entries(HISTOGRAMS)) {
  for (const part of ['bucket', 'count', 'sum'])
    series.set(`${PREFIX}${name}_${part}`, part === 'bucket' ? [...labels, 'le'] : labels);
}
const NAME = new RegExp(`${PREFIX}\\w+`, 'g');

describe('the alert rules', () => {
  it('each have a unique name, a severity and a duration', () => {
    const names = rules.map(({ alert }) => alert);
    expect(new Set(names).size).to.equal(names.length).and.to.equal(11);
    for (const { alert, labels, for: time } of rules) {
      expect(alert).to.match(/^OktaTelephony[A-Z]\w+$/);
      expect(labels.severity).to.match(/^(warning|critical)$/);
      expect(time).to.match(/^\d+m$/);
    }
  });

  it('query only series on the metrics page, by the labels that these series have', () => {
    for (const { alert, expr } of rules) {
      const queried = [...expr.matchAll(new RegExp(`(${PREFIX}\\w+)(?:\\{([^}]*)\\})?`, 'g'))];
      expect(queried, alert).to.not.be.empty;
      // The labels of all series in the expression.
      const known = new Set(['instance']);
      for (const [, name = '', matchers = ''] of queried) {
        const labels = series.get(name) ?? expect.fail(`${alert}: there is no ${name}`);
        for (const label of labels) known.add(label);
        for (const [, label = ''] of matchers.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g))
          expect(labels, `${alert}: ${name}`).to.include(label);
      }
      for (const [, by = ''] of expr.matchAll(/\bby \(([^)]*)\)/g))
        for (const label of by.split(',')) expect([...known], alert).to.include(label.trim());
    }
  });

  it('filter codes by outcomes that exist, and do not count a blocked code as not sent', () => {
    const filters = rules.flatMap(({ expr }) =>
      [...expr.matchAll(/codes_total\{outcome(!?=)"(\w+)"/g)].map(([, is = '', word = '']) => is + word),
    );
    expect([...new Set(filters)]).to.have.members(['=refused', '!=blocked', '=accepted']);
  });

  it('query only histogram buckets that exist', () => {
    const bounds = Object.values(HISTOGRAMS).flatMap(({ buckets }) => buckets.map(String));
    const queried = rules.flatMap(({ expr }) => [...expr.matchAll(/le="([^"]+)"/g)].map(([, le]) => le));
    expect(queried).to.not.be.empty;
    for (const le of queried) expect(bounds).to.include(le);
  });

  it('say what the alert means, what to look at and what to do, and name only series that exist', () => {
    for (const { alert, expr, annotations } of rules) {
      expect(Object.keys(annotations), alert).to.deep.equal(['summary', 'meaning', 'look', 'do']);
      for (const [key, text] of Object.entries(annotations)) {
        expect(text.length, `${alert} ${key}`).to.be.greaterThan(20);
        for (const [name] of text.matchAll(NAME)) {
          const isThere = series.has(name) || series.has(`${name}_count`);
          expect(isThere, `${alert}: ${name}`).to.equal(true);
        }
        // The expression must keep each label that a summary shows.
        for (const [, label = ''] of text.matchAll(/\$labels\.(\w+)/g))
          expect(expr, `${alert} ${key}`).to.match(new RegExp(`by \\([^)]*\\b${label}\\b`));
      }
    }
  });

  it('are all listed by name in the guide to metrics', () => {
    const guide = readFileSync(join(ROOT, 'docs/run/monitor.md'), 'utf8');
    for (const { alert } of rules) expect(guide).to.include(`\`${alert}\``);
  });

  it('are joined in the guide by a dashboard of metrics and labels that exist', () => {
    const known = (name: string): readonly string[] =>
      series.get(PREFIX + name) ?? series.get(`${PREFIX}${name}_count`) ?? expect.fail(`there is no ${name}`);
    const queries = [
      ...sectionOf('docs/run/monitor.md', 'A small dashboard').matchAll(
        /`(\w+)`((?: by `\w+`(?:, `\w+`)*(?: and `\w+`)?)?)/g,
      ),
    ].filter(([, name = '']) => /_(?:total|seconds|state|up)$/.test(name));
    expect(queries).to.have.length.above(12);
    for (const [, name = '', by = ''] of queries)
      for (const [, label = ''] of by.matchAll(/`(\w+)`/g)) expect(known(name), name).to.include(label);
  });
});
