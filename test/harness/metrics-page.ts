// @ts-expect-error It has no types.
import untypedParse from 'parse-prometheus-text-format';
import { PREFIX } from '#lib/events/metric-table.js';

interface Sample {
  readonly value: string;
  readonly labels?: Readonly<Record<string, string>>;
}
interface Family {
  readonly name: string;
  readonly help: string;
  /** In capitals. */
  readonly type: string;
  readonly metrics: readonly Sample[];
}
const parse = untypedParse as (page: string) => readonly Family[];

/** A metrics page, read by a parser of Prometheus' text format. */
export interface MetricsPage {
  readonly families: readonly Pick<Family, 'name' | 'help' | 'type'>[];
  /** The sum of a metric's samples with these labels; the name has no prefix. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
  /** The values of a metric's label, in order. */
  values(name: string, label: string): readonly string[];
}

export function readPage(text: string): MetricsPage {
  // The parser drops the labels of histograms, but not of samples without a type.
  const samples = parse(text.replaceAll(/^# TYPE (\S+) histogram$/gm, '# TYPE $1 untyped')).flatMap(
    ({ name, metrics }) => metrics.map(({ value, labels = {} }) => ({ name, value: Number(value), labels })),
  );
  const named = (name: string): typeof samples => samples.filter((sample) => sample.name === PREFIX + name);
  return {
    families: parse(text),
    sum: (name, labels = {}) =>
      named(name)
        .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, { value }) => sum + value, 0),
    values: (name, label) => [...new Set(named(name).flatMap(({ labels }) => labels[label] ?? []))].sort(),
  };
}
