import type { ExecutionSummary } from '../history/answers.js';
import { nameChannel } from '../../events/description.js';

/** The channels of an execution, e.g. `WhatsApp ✗ → SMS`. If no channel was tried, the one that Okta requested. */
export function Way({ of: { way, channel, deliveryChannel } }: { readonly of: ExecutionSummary }) {
  const name = channel ?? deliveryChannel;
  if (way.length === 0) return <>{name === undefined ? 'none' : nameChannel(name)}</>;
  return (
    <>
      {way.map((step, index) => (
        <>
          {index > 0 && <Sign shown=" → " words=", then " />}
          {nameChannel(step.channel)}
          {step.hasFailed && <Sign shown={'\u00a0✗'} words=" failed" />}
        </>
      ))}
    </>
  );
}

/** A sign, and the words for screen readers. */
function Sign({ shown, words }: { readonly shown: string; readonly words: string }) {
  return (
    <>
      <span aria-hidden="true">{shown}</span>
      <span class="unseen">{words}</span>
    </>
  );
}
