import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { describeEvent } from '../../events/describe-event.js';
import type { LearnedCountry } from '../../delivery/learning.js';
import type { LearnOverview } from '../../guard/learning-guard.js';
import { formatClock, formatCount, formatPercent } from './format.js';
import { countriesOf, levelOf, sayLevel, stateOf, type LearnedState } from './learned-rows.js';
import { liftBlocks, ServerFailure } from './server.js';
import { SortableTable, type Column } from './sortable-table.js';
import { Failure, Icon, ToneMark } from './widgets.js';
import { TONE_ICONS } from './outcomes.js';

interface FraudProps {
  readonly overview: LearnOverview;
  readonly onLifted: (overview: LearnOverview) => void;
}

/** The guard that learns, by country: what it counts, what it blocks, and how to lift that. */
export function Fraud({ overview, onLifted }: FraudProps) {
  const [wanted, setWanted] = useState<string>();
  const [lifted, setLifted] = useState<string>();
  const rows = countriesOf(overview);
  const columns: readonly Column<LearnedCountry>[] = [
    { name: 'Country', by: ({ country }) => nameCountry(country) },
    {
      name: 'State',
      by: (row) => stateOf(row, overview).rank,
      show: (row) => (
        <StateCell
          state={stateOf(row, overview)}
          country={row.country}
          onLift={() => setWanted(row.country)}
        />
      ),
    },
    { name: 'Sent', by: ({ sent }) => sent, show: ({ sent }) => formatCount(sent) },
    { name: 'Used', by: ({ used }) => used, show: ({ used }) => formatCount(used) },
    {
      name: 'Share used',
      by: ({ sent, used }) => (sent === 0 ? 0 : used / sent),
      show: ({ sent, used }) => formatPercent(used, sent),
    },
    { name: 'Level and limit', by: levelOf, show: sayLevel },
  ];
  return (
    <>
      <Summary overview={overview} />
      {rows.length === 0 ? (
        <p class="empty">No SMS or voice call was counted in the last 24 hours.</p>
      ) : (
        <SortableTable
          label="Sent and used codes of the last 24 hours, and blocks, by country"
          columns={columns}
          rows={rows}
          keyOf={({ country }) => country}
        />
      )}
      <p class="unseen" role="status">
        {lifted}
      </p>
      {wanted !== undefined && (
        <LiftDialog
          country={wanted}
          onEnd={(answer) => {
            setWanted(undefined);
            if (answer === undefined) return;
            setLifted(`The block of ${nameCountry(wanted)} is lifted for an hour.`);
            onLifted(answer);
          }}
        />
      )}
    </>
  );
}

function nameCountry(country: string): string {
  return country === 'none' ? 'No country' : country;
}

function Summary({ overview }: { readonly overview: LearnOverview }) {
  const { mode, isBlind, warmUpUntilMs } = overview;
  if (isBlind) {
    const { text } = describeEvent({ type: 'guard.blind', at: 0, remedy: '' });
    return <ToneMark tone="warn">{text} Check the event hook in Okta.</ToneMark>;
  }
  if (mode === 'record')
    return <ToneMark tone="warn">It only records, and shows what it would block.</ToneMark>;
  if (warmUpUntilMs !== undefined)
    return (
      <ToneMark tone="plain">
        It learns until {formatClock(warmUpUntilMs)}, and blocks nothing before.
      </ToneMark>
    );
  return (
    <ToneMark tone="plain">
      It blocks SMS and voice calls to numbers that no code was used with in 90 days.
    </ToneMark>
  );
}

interface StateCellProps {
  readonly state: LearnedState;
  readonly country: string;
  readonly onLift: () => void;
}

function StateCell({ state: { tone, text, canLift }, country, onLift }: StateCellProps) {
  return (
    <>
      <span class={`mark ${tone}`}>
        <Icon path={TONE_ICONS[tone]} />
        <span>{text}</span>
      </span>
      {canLift && (
        <button
          type="button"
          class="small"
          aria-label={`Lift the block of ${nameCountry(country)} for an hour`}
          onClick={onLift}
        >
          Lift for an hour
        </button>
      )}
    </>
  );
}

interface LiftDialogProps {
  readonly country: string;
  /** With the answer, if the block is lifted. */
  readonly onEnd: (answer: LearnOverview | undefined) => void;
}

function LiftDialog({ country, onEnd }: LiftDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const answer = useRef<LearnOverview | undefined>(undefined);
  const [isSending, setIsSending] = useState(false);
  const [failure, setFailure] = useState<ServerFailure>();
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const close = (): void => dialog.current?.close();
  const lift = async (): Promise<void> => {
    setIsSending(true);
    const answered = await liftBlocks({ country });
    setIsSending(false);
    if (answered instanceof ServerFailure) {
      setFailure(answered);
      return;
    }
    answer.current = answered;
    close();
  };
  return (
    // When it has closed, the button that opened it has the focus again.
    <dialog ref={dialog} aria-labelledby="lift-title" onClose={() => onEnd(answer.current)}>
      <h2 id="lift-title">Lift the block of {nameCountry(country)} for an hour?</h2>
      <p>
        For an hour, no rule of guard.learn blocks codes to this country, at any gateway. An attack that still
        goes on costs money. Your name is in the log.
      </p>
      {failure !== undefined && <Failure of={failure} />}
      <p class="send">
        <button type="button" class="primary" disabled={isSending} onClick={() => void lift()}>
          Lift
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </p>
    </dialog>
  );
}
