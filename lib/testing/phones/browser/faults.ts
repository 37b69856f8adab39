import { element, setText } from '../../../http/page/browser/dom.js';
import type { FaultSwitchView, PhonesState } from '../api.js';
import type { Ask } from './server.js';
import { makeSwitch, type Part } from './widgets.js';

const SIDES: Readonly<Record<FaultSwitchView['side'], string>> = {
  okta: 'Okta',
  whatsapp: 'WhatsApp',
  sms: 'SMS',
  twilio: 'Twilio',
};

/** Fills in the faults that can be switched on. Returns a function that shows their state. */
export function fillFaults(place: HTMLElement, first: PhonesState, ask: Ask): (state: PhonesState) => void {
  let shown = first;
  const switches = new Map<string, Part<boolean>>();
  /** A switch that could not be changed turns back. */
  const turn = async (asking: ReturnType<Ask>): Promise<void> => {
    if ((await asking) !== undefined) update(shown);
  };
  const groups = Object.entries(SIDES).map(([side, title]) => {
    const made = first.faults
      .filter((fault) => fault.side === side)
      .map(({ id, title: label, description }) => {
        const one = makeSwitch(label, description, (isOn) => void turn(ask('fault', { id, isOn })));
        switches.set(id, one);
        return one.root;
      });
    return element('fieldset', element('legend', title), ...made);
  });
  const count = element('p.count', { role: 'status' });
  const play = element('button', {
    type: 'button',
    onclick: () => void turn(ask('bad-day', { isOn: !shown.badDay.isPlaying })),
  });
  const phases = new Map(
    first.badDay.phases.map(({ name, description }) => [name, element('li', description)]),
  );
  const script = element('ol', ...phases.values());
  place.replaceChildren(
    element('h2', { id: 'faults-title' }, 'Make something go wrong'),
    count,
    ...groups,
    element(
      'fieldset.bad-day',
      element('legend', 'A bad day'),
      element('p.quiet', 'One fault after the other, at both vendors. Every switch is off meanwhile.'),
      play,
      script,
    ),
  );

  const update = (state: PhonesState): void => {
    shown = state;
    for (const { id, isOn } of state.faults) switches.get(id)?.update(isOn);
    const on = state.faults.filter(({ isOn }) => isOn).length;
    const { isPlaying, current } = state.badDay;
    const words = isPlaying ? 'A bad day is being played.' : on === 0 ? 'All is well.' : `${on} switched on.`;
    setText(count, words);
    count.classList.toggle('warn', isPlaying || on > 0);
    script.hidden = !isPlaying;
    play.textContent = isPlaying ? 'Stop the bad day' : 'Play a bad day';
    for (const [name, line] of phases) {
      if (name === current) line.setAttribute('aria-current', 'step');
      else line.removeAttribute('aria-current');
    }
  };
  return update;
}
