import { drawing, element } from '../../../http/page/browser/dom.js';

/** Icons in the colour of the text. Those with a meaning have words beside them. */

const PATHS = {
  whatsapp: 'M12 3a9 9 0 0 0-7.7 13.6L3 21l4.5-1.2A9 9 0 1 0 12 3Zm-3.4 5c.7 3.6 3.800 6.600 7.400 7.300',
  sms: 'M4 5h16v11H9l-5 4V5Zm4 4h8m-8 3h5',
  voice: 'M6 3h3l2 5-2 2a11 11 0 0 0 5 5l2-2 5 2v3c0 1.500-1.500 3-3 3A16 16 0 0 1 3 6c0-1.500 1.500-3 3-3Z',
  copy: 'M9 9h11v11H9V9Zm-3 6H4V4h11v2',
  tick: 'm4 12 5 5L20 6',
  ticks: 'm1 13 4.500 4.500L14 8m-3.500 8 1.500 1.500L22 7',
  cross: 'M6 6l12 12M18 6 6 18',
  dots: 'M5 12h.01M12 12h.01M19 12h.01',
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): SVGSVGElement {
  return drawing(
    'svg',
    { class: `icon icon-${name}`, viewBox: '0 0 24 24', 'aria-hidden': 'true' },
    drawing('path', { d: PATHS[name] }),
  );
}

/** A part of the page, which shows a state. */
export interface Part<State> {
  readonly root: HTMLElement;
  update(state: State): void;
}

/** A switch with its label. It turns when the server has answered. */
export function makeSwitch(
  label: string,
  description: string,
  onTurn: (isOn: boolean) => void,
): Part<boolean> {
  const id = `switch-${Math.random().toString(36).slice(2)}`;
  const input = element('input', {
    type: 'checkbox',
    role: 'switch',
    ...(description === '' ? {} : { 'aria-describedby': id }),
    onchange: () => onTurn(input.checked),
  });
  const words = element('label', input, element('span', label));
  const root = element('div.switch', words);
  if (description !== '') root.append(element('p.quiet', { id }, description));
  return {
    root,
    update: (isOn) => {
      input.checked = isOn;
      root.classList.toggle('on', isOn);
    },
  };
}
