import type { ExecutionSummary } from '../../core/history.js';
import { element } from '../../http/page/browser/dom.js';
import { nameChannel, nameRequestType } from '../../events/description.js';
import { formatTime, formatDuration } from './format.js';
import { addressOf } from './routes.js';
import { inCode, markOutcome, timeAt } from './widgets.js';

/** The list of executions, newest first. It holds a few hundred rows at most, however many executions there are. */

/** Above it, the rows at the far end are removed. */
const MAX_ROWS = 300;

export function makeExecutionRows() {
  const rows = new Map<string, HTMLElement>();
  const starts = new WeakMap<Element, number>();
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
  const make = (execution: ExecutionSummary): HTMLElement => {
    const row = makeRow(execution);
    rows.set(execution.id, row);
    starts.set(row, execution.startedAt);
    return row;
  };
  const made = (executions: readonly ExecutionSummary[]): HTMLElement[] =>
    executions.map((execution) => {
      rows.get(execution.id)?.remove();
      return make(execution);
    });
  const remove = (row: Element | null): void => {
    if (!(row instanceof HTMLElement)) return;
    rows.delete(row.dataset['id'] ?? '');
    row.remove();
  };
  return {
    element: table,
    /** The ids of the rows, newest first. */
    ids: (): readonly string[] =>
      [...body.children].map((row) => (row instanceof HTMLElement ? (row.dataset['id'] ?? '') : '')),
    replace: (executions: readonly ExecutionSummary[]): void => {
      rows.clear();
      body.replaceChildren(...made(executions));
    },
    /** When the execution of the last row began; `undefined` without rows. */
    oldestStart: (): number | undefined =>
      body.lastElementChild === null ? undefined : starts.get(body.lastElementChild),
    /** Adds rows in the order of time. */
    insert: (executions: readonly ExecutionSummary[]): void => {
      for (const row of made(executions)) {
        const start = starts.get(row) ?? 0;
        body.insertBefore(row, [...body.children].find((other) => (starts.get(other) ?? 0) <= start) ?? null);
      }
      while (body.childElementCount > MAX_ROWS) remove(body.lastElementChild);
    },
    /** Adds rows after the last. The rows in view do not move. */
    append: (executions: readonly ExecutionSummary[]): void => {
      body.append(...made(executions));
      const before = body.lastElementChild?.getBoundingClientRect().top ?? 0;
      while (body.childElementCount > MAX_ROWS) remove(body.firstElementChild);
      const after = body.lastElementChild?.getBoundingClientRect().top ?? 0;
      window.scrollBy(0, after - before);
    },
    update: (execution: ExecutionSummary): void => {
      const old = rows.get(execution.id);
      if (old === undefined) return;
      const hadFocus = old.contains(document.activeElement);
      const row = make(execution);
      old.replaceWith(row);
      if (hadFocus) focusOn(row);
    },
    focus: (id: string): void => {
      const row = rows.get(id);
      if (row !== undefined) focusOn(row);
    },
  };
}

function focusOn(row: HTMLElement): void {
  row.querySelector('a')?.focus({ preventScroll: true });
}

const COLUMNS = ['Time', 'Outcome', 'Channel', 'Request', 'User id', 'Number', 'Answered in'] as const;

/** The whole row is a link to the execution, and the keyboard stops at it once. */
function makeRow(execution: ExecutionSummary): HTMLElement {
  const { id, startedAt, outcome, code, userId, requestType, toEnding, durationMs } = execution;
  const time = timeAt(startedAt, formatTime(startedAt));
  return element(
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
  const test = testedBy === undefined ? 'test' : `test by ${testedBy}`;
  const words = [
    ...(isTest ? [test] : isPreview ? ['preview'] : []),
    ...(repeats === 0 ? [] : [repeats === 1 ? '1 repeat' : `${repeats} repeats`]),
  ];
  return words.length === 0 ? undefined : element('span.tag', words.join(', '));
}

function cell(name: string, ...children: readonly (Node | string | undefined)[]): HTMLElement {
  return element('div', { role: 'cell', class: name }, ...children);
}
