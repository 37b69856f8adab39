import { element } from '../../../http/page/browser/dom.js';

/** A switch with its label. It turns when the server has answered. */
export interface Switch {
  readonly root: HTMLElement;
  set(isOn: boolean): void;
}

export function makeSwitch(label: string, description: string, onTurn: (isOn: boolean) => void): Switch {
  const id = `switch-${Math.random().toString(36).slice(2)}`;
  const input = element('input', {
    type: 'checkbox',
    role: 'switch',
    ...(description === '' ? {} : { 'aria-describedby': id }),
    onchange: () => onTurn(input.checked),
  });
  const words = element('label', input, element('span', label));
  const root = element('div.switch', words);
  if (description !== '') {
    words.title = description;
    root.append(element('p.quiet', { id }, description));
  }
  return {
    root,
    set: (isOn) => {
      input.checked = isOn;
      root.classList.toggle('on', isOn);
    },
  };
}
