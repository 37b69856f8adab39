import type { Flow } from '../history/answers.js';
import { rowsOf, sayFailovers, type FlowRow } from './flow-rows.js';
import { formatCount, formatPercent, percentOf } from './format.js';
import { SelectField, Share } from './widgets.js';

/** What the flow is about; empty for all. */
export interface FlowChoice {
  readonly country: string;
  readonly provider: string;
}

export const ALL_CODES: FlowChoice = { country: '', provider: '' };

interface FlowProps {
  readonly flow: Flow;
  readonly choice: FlowChoice;
  readonly onChoose: (choice: FlowChoice) => void;
}

/** The way of codes from Okta's request over the channels to their use: a table whose bars have one scale. */
export function FlowChart({ flow, choice, onChoose }: FlowProps) {
  const { asked, countries, providers } = flow;
  return (
    <>
      <div class="filters">
        <SelectField
          id="flow-country"
          label="Country of the number"
          value={choice.country}
          options={optionsOf('All countries', countries, choice.country)}
          onChoose={(country) => onChoose({ ...choice, country })}
        />
        <SelectField
          id="flow-provider"
          label="First provider"
          value={choice.provider}
          options={optionsOf('All providers', providers, choice.provider)}
          onChoose={(provider) => onChoose({ ...choice, provider })}
        />
      </div>
      <div role="status">
        {asked === 0 ? (
          <p class="empty">No code fits.</p>
        ) : (
          sayFailovers(flow).map((sentence) => (
            <p key={sentence} class="answer">
              {sentence}
            </p>
          ))
        )}
      </div>
      {asked > 0 && <FlowTable flow={flow} />}
    </>
  );
}

/** A choice stays in the list when no code fits it any more. */
function optionsOf(
  all: string,
  names: readonly string[],
  chosen: string,
): readonly (readonly [string, string])[] {
  const known = [...new Set([...names, chosen])].filter((name) => name !== '').sort();
  return [['', all], ...known.map((name) => [name, name] as const)];
}

function FlowTable({ flow }: { readonly flow: Flow }) {
  return (
    <table class="flow">
      <caption class="unseen">The way of the codes</caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Share of all codes</th>
          <th scope="col">Codes</th>
          <th scope="col">
            <span class="unseen">Share </span>of the step before
          </th>
        </tr>
      </thead>
      <tbody>
        {rowsOf(flow).map((row, index) => (
          <FlowLine key={index} row={row} asked={flow.asked} />
        ))}
      </tbody>
    </table>
  );
}

function FlowLine({ row, asked }: { readonly row: FlowRow; readonly asked: number }) {
  const { label, depth, name, count, of, ofWhat } = row;
  return (
    <tr>
      <th scope="row" class={`depth-${depth}`}>
        {depth > 0 && <span aria-hidden="true">→ </span>}
        {label}
      </th>
      <td>
        <svg class="lane" width="100%" height={16} aria-hidden="true" focusable="false">
          <Share name={name} width={percentOf(count, asked)} height={16} />
        </svg>
      </td>
      <td>{formatCount(count)}</td>
      <td>
        {depth > 0 && formatPercent(count, of)}
        {depth > 0 && <span class="unseen"> of {ofWhat}</span>}
      </td>
    </tr>
  );
}
