import { useId } from 'preact/hooks';

interface SwitchProps {
  readonly label: string;
  readonly description?: string;
  readonly isOn: boolean;
  readonly onTurn: (isOn: boolean) => void;
}

/** A switch with its label. It turns when the server has answered. */
export function Switch({ label, description, isOn, onTurn }: SwitchProps) {
  const id = useId();
  const turn = (event: Event): void => {
    event.preventDefault();
    onTurn(!isOn);
  };
  return (
    <div class={isOn ? 'switch on' : 'switch'}>
      <label>
        <input
          type="checkbox"
          role="switch"
          checked={isOn}
          aria-describedby={description === undefined ? undefined : id}
          onClick={turn}
        />
        <span>{label}</span>
      </label>
      {description !== undefined && (
        <p class="quiet" id={id}>
          {description}
        </p>
      )}
    </div>
  );
}
