import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ExecutionOutcome, ExecutionSummary } from '../history/answers.js';
import { nameChannel, type Tone } from '../../events/description.js';
import { formatDateTime } from './format.js';
import { OUTCOMES, TONE_ICONS } from './outcomes.js';
import type { ServerFailure } from './server.js';

/** What the views share. */

export function Icon({ path }: { readonly path: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width={16} height={16} aria-hidden="true" focusable="false">
      <path d={path} />
    </svg>
  );
}

/** An icon and a word. */
export function OutcomeMark({ outcome }: { readonly outcome: ExecutionOutcome }) {
  const { word, tone, icon } = OUTCOMES[outcome];
  return (
    <span class={`mark ${tone}`}>
      <Icon path={icon} />
      <span>{word}</span>
    </span>
  );
}

/** A sentence with an icon before it. */
export function ToneMark({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return (
    <p class={`mark sentence ${tone}`}>
      <Icon path={TONE_ICONS[tone]} />
      <span>{children}</span>
    </p>
  );
}

/** An error, and what to do about it. */
export function Failure({ of: { error } }: { readonly of: ServerFailure }) {
  return (
    <div class="note bad">
      <ToneMark tone="bad">
        {error.message} <code>{error.code}</code>
      </ToneMark>
      {error.remedy !== undefined && <p>{error.remedy}</p>}
    </div>
  );
}

/** The channels of an execution, e.g. `WhatsApp ✗ → SMS`. If no channel was tried, the one that Okta requested. */
export function Way({ of: { way, channel, deliveryChannel } }: { readonly of: ExecutionSummary }) {
  const name = channel ?? deliveryChannel;
  if (way.length === 0) return <>{name === undefined ? 'none' : nameChannel(name)}</>;
  return (
    <>
      {way.map((step, index) => (
        <>
          {index > 0 && <Sign shown=" → " words=", then " />}
          {nameChannel(step.channel)}
          {step.hasFailed && <Sign shown={'\u00a0✗'} words=" failed" />}
        </>
      ))}
    </>
  );
}

function Sign({ shown, words }: { readonly shown: string; readonly words: string }) {
  return (
    <>
      <span aria-hidden="true">{shown}</span>
      <span class="unseen">{words}</span>
    </>
  );
}

/** An id or code; nothing for `undefined`. */
export function inCode(value: string | undefined) {
  return value === undefined ? undefined : <code>{value}</code>;
}

/** A value with a button that copies it, for example to search Okta's System Log; nothing for `undefined`. */
export function copyable(label: string, value: string | undefined) {
  if (value === undefined) return undefined;
  return (
    <span class="copyable">
      <code>{value}</code>
      <CopyButton label={label} value={value} />
    </span>
  );
}

export function CopyButton({ label, value }: { readonly label: string; readonly value: string }) {
  const [result, setResult] = useState<string>();
  const copy = async (): Promise<void> => {
    try {
      // Browsers have no clipboard for a page over plain HTTP.
      await navigator.clipboard.writeText(value);
      setResult('Copied');
    } catch {
      setResult('Not allowed');
    }
    window.setTimeout(setResult, 2000, undefined);
  };
  return (
    <span>
      <button type="button" class="small" aria-label={`Copy ${label}`} onClick={() => void copy()}>
        {result ?? 'Copy'}
      </button>
      <span class="unseen" role="status">
        {result}
      </span>
    </span>
  );
}

/** A name and its value. A fact without a value is left out. */
export type Fact = readonly [name: string, value: ComponentChildren];

export function Facts({ of: facts }: { readonly of: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value !== undefined && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** A part of a chart. The name is the class of its colour. */
export interface ChartPart {
  readonly name: string;
  readonly meaning: string;
}

/** Parts that a pattern tells apart, too: some people do not see the difference of the colours. */
const PATTERNS: ReadonlyMap<string, string> = new Map([
  ['failedOver', 'M0 6 6 0M-1 1 1-1M5 7 7 5'],
  ['undelivered', 'M0 0 6 6M0 6 6 0'],
  ['unknown', 'M1 3h2'],
]);

/** The patterns, once in the document. */
export function Patterns() {
  return (
    <svg class="unseen" width={0} height={0} aria-hidden="true" focusable="false">
      <defs>
        {[...PATTERNS].map(([name, path]) => (
          <pattern key={name} id={`pattern-${name}`} width={6} height={6} patternUnits="userSpaceOnUse">
            <path d={path} />
          </pattern>
        ))}
      </defs>
    </svg>
  );
}

interface ShareProps {
  /** The class of its colour. */
  readonly name: string;
  readonly x?: string;
  readonly y?: string;
  readonly width: string | number;
  readonly height: string | number;
}

/** A part of a chart, in its colour and pattern. */
export function Share({ name, ...box }: ShareProps) {
  return (
    <>
      <rect class={`share ${name}`} {...box} />
      {PATTERNS.has(name) && <rect fill={`url(#pattern-${name})`} {...box} />}
    </>
  );
}

export function Legend({ parts }: { readonly parts: readonly ChartPart[] }) {
  return (
    <ul class="legend" aria-hidden="true">
      {parts.map(({ name, meaning }) => (
        <li key={name}>
          <svg width={14} height={14}>
            <Share name={name} width={14} height={14} />
          </svg>
          {meaning}
        </li>
      ))}
    </ul>
  );
}

interface NumbersTableProps {
  /** Names the region, which scrolls on a narrow screen. */
  readonly label: string;
  /** Default: the label, for screen readers only. */
  readonly caption?: string;
  readonly columns: readonly string[];
  /** The first cell names the row. */
  readonly rows: readonly (readonly [name: string, ...cells: string[]])[];
}

export function NumbersTable({ label, caption, columns, rows }: NumbersTableProps) {
  return (
    <div class="scrolled" tabIndex={0} role="region" aria-label={label}>
      <table class="numbers">
        <caption class={caption === undefined ? 'unseen' : undefined}>{caption ?? label}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...cells]) => (
            <tr>
              <th scope="row">{name}</th>
              {cells.map((cell) => (
                <td>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A time, with the exact one as its title. */
export function At({ at, children }: { readonly at: number; readonly children: ComponentChildren }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={formatDateTime(at)}>
      {children}
    </time>
  );
}

interface FieldProps {
  readonly id: string;
  readonly label: string;
  /** The width, as a class. */
  readonly size?: 'wide' | 'half';
  readonly children: ComponentChildren;
}

/** A field of a form, with its label above it. */
export function Field({ id, label, size, children }: FieldProps) {
  return (
    <div class={size === undefined ? 'field' : `field ${size}`}>
      <label for={id}>{label}</label>
      {children}
    </div>
  );
}

interface SelectFieldProps<Value extends string> {
  readonly id: string;
  readonly label: string;
  readonly value: Value;
  readonly options: readonly (readonly [value: Value, label: string])[];
  readonly onChoose: (value: Value) => void;
}

/** A choice of one of several values. */
export function SelectField<Value extends string>(props: SelectFieldProps<Value>) {
  const { id, label, value, options, onChoose } = props;
  const choose = (index: number): void => {
    const [chosen] = options[index] ?? [];
    if (chosen !== undefined) onChoose(chosen);
  };
  return (
    <Field id={id} label={label} size="half">
      <select id={id} value={value} onChange={({ currentTarget }) => choose(currentTarget.selectedIndex)}>
        {options.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Returns a function that takes what is to be done when the changes so far are drawn. */
export function useAfterDraw(): (act: () => void) => void {
  const waiting = useRef<(() => void)[]>([]);
  useLayoutEffect(() => {
    for (const act of waiting.current.splice(0)) act();
  });
  return (act) => void waiting.current.push(act);
}
