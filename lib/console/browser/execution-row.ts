import type { ExecutionSummary } from '../../core/history.js';
import { element } from '../../http/page/browser/dom.js';
import { markOutcome } from './marks.js';
import { sayExactly, sayShortly, saySpan } from './moments.js';
import { addressOf } from './routes.js';
import { lastDigits } from '../../events/browser/names.js';
import { nameChannel, nameRequestType } from '../../events/browser/names.js';

/** One execution in the list: the whole row leads to it, and the keyboard stops at it once. */

export const COLUMNS = ['Time', 'Outcome', 'Channel', 'Request', 'User id', 'Number', 'Answered in'] as const;

export function makeRow(execution: ExecutionSummary, now: number): HTMLElement {
  const { id, startedAt, outcome, code, userId, requestType, to, durationMs } = execution;
  const time = element(
    'time',
    { datetime: new Date(startedAt).toISOString(), title: sayExactly(startedAt) },
    sayShortly(startedAt, now),
  );
  return element(
    'div',
    { role: 'row', class: 'row', 'data-id': id },
    cell('time', element('a', { href: addressOf({ view: 'execution', id }), class: 'whole-row' }, time)),
    cell('outcome', markOutcome(outcome), code === undefined ? undefined : element('code', {}, code)),
    cell('channel', nameTried(execution)),
    cell('request', nameRequestType(requestType), originOf(execution)),
    cell('user', userId === undefined ? 'unknown' : element('code', {}, userId)),
    cell('number', `•• ${lastDigits(to)}`),
    cell('duration', durationMs === undefined ? '–' : saySpan(durationMs)),
  );
}

/** By which it went out, or was last tried; else what Okta asked for. */
export function nameTried({ channel, deliveryChannel }: ExecutionSummary): string {
  const name = channel ?? deliveryChannel;
  return name === undefined ? 'none' : nameChannel(name);
}

/** What tells it from a sign-in. */
function originOf({ isTest, isPreview, repeats }: ExecutionSummary): HTMLElement | undefined {
  const words = [
    ...(isTest ? ['test'] : isPreview ? ['preview'] : []),
    ...(repeats === 0 ? [] : [repeats === 1 ? '1 repeat' : `${repeats} repeats`]),
  ];
  return words.length === 0 ? undefined : element('span', { class: 'tag' }, words.join(', '));
}

function cell(name: string, ...children: readonly (Node | string | undefined)[]): HTMLElement {
  return element('div', { role: 'cell', class: name }, ...children);
}
