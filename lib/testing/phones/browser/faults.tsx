import type { FaultSwitchView, PhonesState } from '../api.js';
import type { Ask } from './server.js';
import { Switch } from './switch.js';

const SIDES: readonly (readonly [FaultSwitchView['side'], string])[] = [
  ['okta', 'Okta'],
  ['whatsapp', 'WhatsApp'],
  ['sms', 'SMS'],
  ['twilio', 'Twilio'],
];

/** The faults that can be switched on, and the bad day. */
export function Faults({ state, ask }: { readonly state: PhonesState; readonly ask: Ask }) {
  const { faults, badDay } = state;
  const { isPlaying, phases, current } = badDay;
  const on = faults.filter(({ isOn }) => isOn).length;
  const words = isPlaying ? 'A bad day is being played.' : on === 0 ? 'All is well.' : `${on} switched on.`;
  return (
    <section id="faults" aria-labelledby="faults-title">
      <h2 id="faults-title">Make something go wrong</h2>
      <p class={isPlaying || on > 0 ? 'count warn' : 'count'} role="status">
        {words}
      </p>
      {SIDES.map(([side, title]) => (
        <fieldset key={side}>
          <legend>{title}</legend>
          {faults
            .filter((fault) => fault.side === side)
            .map(({ id, title: label, description, isOn }) => (
              <Switch
                key={id}
                label={label}
                description={description}
                isOn={isOn}
                onTurn={(wanted) => void ask('fault', { id, isOn: wanted })}
              />
            ))}
        </fieldset>
      ))}
      <fieldset class="bad-day">
        <legend>A bad day</legend>
        <p class="quiet">One fault after the other, while everybody signs in. Every switch is off.</p>
        <button type="button" onClick={() => void ask('bad-day', { isOn: !isPlaying })}>
          {isPlaying ? 'Stop the bad day' : 'Play a bad day'}
        </button>
        {isPlaying && (
          <ol>
            {phases.map(({ name, description }) => (
              <li key={name} aria-current={name === current ? 'step' : undefined}>
                {description}
              </li>
            ))}
          </ol>
        )}
      </fieldset>
    </section>
  );
}
