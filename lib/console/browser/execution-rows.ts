import type { ExecutionSummary } from '../../core/history.js';
import { element } from '../../http/page/browser/dom.js';
import { nameChannel, nameRequestType } from '../../events/description.js';
import { formatTime, formatDuration } from './format.js';
import { addressOf } from './routes.js';
import { inCode, markOutcome, timeAt } from './widgets.js';

/** The list of executions, newest first. It holds a few hundred rows at most, however many executions there are. */

/** Above it, the rows at the far end are removed. */
const MAX_ROWS = 300;

interface Row {
  readonly id: string;
  readonly startedAt: number;
  readonly element: HTMLElement;
}

export function makeExecutionRows() {
  let rows: readonly Row[] = [];
  const body = element('div.rows', { role: 'rowgroup' });
  const table = element(
    'div.executions',
    { role: 'table', 'aria-label': 'Executions, newest first' },
    element(
      'div',
      { role: 'rowgroup' },
      element(
        'div.row.head',
        { role: 'row' },
        ...COLUMNS.map((name) => element('div', { role: 'columnheader' }, name)),
      ),
    ),
    body,
  );
  /** Shows these rows. Those that are there already are not touched, so that the focus stays. */
  const show = (wanted: readonly Row[]): void => {
    const kept = new Set(wanted);
    for (const row of rows) if (!kept.has(row)) row.element.remove();
    for (const [index, { element: row }] of wanted.entries()) {
      const there = body.children[index];
      if (there !== row) body.insertBefore(row, there ?? null);
    }
    rows = wanted;
  };
  /** Returns `false` if the row is not here. */
  const focus = (id: string): boolean => {
    const link = rows.find((each) => each.id === id)?.element.querySelector('a');
    link?.focus({ preventScroll: true });
    return link instanceof HTMLElement;
  };
  const withoutRowsOf = (executions: readonly ExecutionSummary[]): readonly Row[] => {
    const ids = new Set(executions.map(({ id }) => id));
    return rows.filter(({ id }) => !ids.has(id));
  };
  return {
    element: table,
    /** The ids of the rows, newest first. */
    ids: (): readonly string[] => rows.map(({ id }) => id),
    replace: (executions: readonly ExecutionSummary[]): void => show(executions.map(makeRow)),
    /** When the execution of the last row began; `undefined` without rows. */
    oldestStart: (): number | undefined => rows.at(-1)?.startedAt,
    /** Adds rows in the order of time. */
    insert: (executions: readonly ExecutionSummary[]): void => {
      const all = [...executions.map(makeRow), ...withoutRowsOf(executions)];
      show(all.sort((one, other) => other.startedAt - one.startedAt).slice(0, MAX_ROWS));
    },
    /** Adds rows after the last. The rows in view do not move. */
    append: (executions: readonly ExecutionSummary[]): void => {
      show([...withoutRowsOf(executions), ...executions.map(makeRow)]);
      const before = body.lastElementChild?.getBoundingClientRect().top ?? 0;
      show(rows.slice(-MAX_ROWS));
      const after = body.lastElementChild?.getBoundingClientRect().top ?? 0;
      window.scrollBy(0, after - before);
    },
    update: (execution: ExecutionSummary): void => {
      const { id } = execution;
      const hasFocus = rows.some((row) => row.id === id && row.element.contains(document.activeElement));
      show(rows.map((row) => (row.id === id ? makeRow(execution) : row)));
      if (hasFocus) focus(id);
    },
    focus,
  };
}

const COLUMNS = ['Time', 'Outcome', 'Channel', 'Request', 'User id', 'Number', 'Answered in'] as const;

/** The whole row is a link to the execution, and the keyboard stops at it once. */
function makeRow(execution: ExecutionSummary): Row {
  const { id, startedAt, outcome, code, userId, requestType, toEnding, durationMs } = execution;
  const time = timeAt(startedAt, formatTime(startedAt));
  const row = element(
    'div.row',
    { role: 'row', 'data-id': id },
    cell('time', element('a.whole-row', { href: addressOf({ view: 'execution', id }) }, time)),
    cell('outcome', markOutcome(outcome), inCode(code)),
    cell('channel', ...showWay(execution)),
    cell('request', nameRequestType(requestType), originOf(execution)),
    cell('user', inCode(userId) ?? 'unknown'),
    cell('number', `•• ${toEnding}`),
    cell('duration', durationMs === undefined ? '–' : formatDuration(durationMs)),
  );
  return { id, startedAt, element: row };
}

/** E.g. `WhatsApp ✗ → SMS`. If no channel was tried, the one that Okta requested. */
export function showWay({ way, channel, deliveryChannel }: ExecutionSummary): readonly (Node | string)[] {
  const name = channel ?? deliveryChannel;
  if (way.length === 0) return [name === undefined ? 'none' : nameChannel(name)];
  return way.flatMap((step, index) => [
    ...(index === 0 ? [] : sign(' → ', ', then ')),
    nameChannel(step.channel),
    ...(step.hasFailed ? sign('\u00a0✗', ' failed') : []),
  ]);
}

/** A sign, and the words for screen readers. */
function sign(shown: string, words: string): readonly Node[] {
  return [element('span', { 'aria-hidden': 'true' }, shown), element('span.unseen', words)];
}

/** A mark for everything that is not a plain sign-in. */
function originOf({ isTest, testedBy, isPreview, repeats }: ExecutionSummary): HTMLElement | undefined {
  // A name may be written from right to left.
  const tester = testedBy === undefined ? [] : [' by ', element('bdi', testedBy)];
  const origin = isTest ? ['test', ...tester] : isPreview ? ['preview'] : [];
  const count = repeats === 0 ? [] : [repeats === 1 ? '1 repeat' : `${repeats} repeats`];
  const comma = origin.length > 0 && count.length > 0 ? [', '] : [];
  const words = [...origin, ...comma, ...count];
  return words.length === 0 ? undefined : element('span.tag', ...words);
}

function cell(name: string, ...children: readonly (Node | string | undefined)[]): HTMLElement {
  return element('div', { role: 'cell', class: name }, ...children);
}
