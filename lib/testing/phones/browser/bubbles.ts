import { element, setText } from '../../../http/page/browser/dom.js';
import type { PhoneItem } from '../api.js';
import { icon } from './widgets.js';
import { callStateOf, exactTimeOf, languageName, receiptOf, timeOf } from './words.js';

export interface Bubble {
  readonly root: HTMLElement;
  update(item: PhoneItem, isUnread: boolean): void;
}

export function makeBubble(item: PhoneItem): Bubble {
  return item.channel === 'voice' ? makeCall(item) : makeMessage(item);
}

function makeMessage(item: PhoneItem): Bubble {
  const receipt = element('span.receipt');
  const meta = element('p.meta', timeElement(item), receipt);
  const root = element(
    'div',
    { class: `bubble ${item.isOwn ? 'own' : 'theirs'}` },
    element('p.text', { lang: item.language }, item.text),
    meta,
  );
  if (item.button !== undefined) root.append(copyButton(item.button.text, item.button.copies));
  return {
    root,
    update: (now, isUnread) => {
      root.classList.toggle('unread', isUnread);
      const words = receiptOf(now);
      if (words === undefined || receipt.dataset['words'] === words) return;
      receipt.dataset['words'] = words;
      const sign = icon(words === 'Sent' ? 'tick' : 'ticks');
      receipt.replaceChildren(sign, element('span.unseen', words));
      receipt.classList.toggle('read', words === 'Read');
    },
  };
}

function makeCall(item: PhoneItem): Bubble {
  const state = element('p.call-state');
  const language = item.language === undefined ? '' : ` · in ${languageName(item.language)}`;
  const words = element(
    'blockquote',
    { lang: item.language, 'aria-label': 'Words of the call' },
    element('p', item.text),
  );
  const root = element(
    'div.call',
    element('div.caller', icon('voice')),
    element('p.call-from', item.with),
    state,
    words,
    element('p.meta', timeElement(item), language),
  );
  return {
    root,
    update: (now, isUnread) => {
      const how = callStateOf(now);
      setText(state, how);
      root.classList.toggle('ringing', how === 'Ringing…');
      root.classList.toggle('unread', isUnread);
      // The words are heard after the phone is answered.
      words.hidden = how === 'Ringing…';
    },
  };
}

function timeElement({ at }: PhoneItem): HTMLElement {
  return element('time', { datetime: new Date(at).toISOString(), title: exactTimeOf(at) }, timeOf(at));
}

function copyButton(label: string, copies: string): HTMLElement {
  const words = element('span', { 'aria-live': 'polite' }, label);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(copies);
      words.textContent = 'Copied';
    } catch {
      words.textContent = 'Not allowed to copy';
    }
  };
  return element('button.copy', { type: 'button', onclick: () => void copy() }, icon('copy'), words);
}
