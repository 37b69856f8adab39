import { useEffect, useState } from 'preact/hooks';
import type { PersonView, PhonesAbout, PhonesState } from '../api.js';
import { Faults } from './faults.js';
import { Person } from './person.js';
import { listen, post, type Ask } from './server.js';

export function PhonesPage({ about }: { readonly about: PhonesAbout }) {
  const [state, setState] = useState<PhonesState>();
  const [isLost, setIsLost] = useState(false);
  /** An answer and the stream may arrive out of order. */
  const show = (next: PhonesState): void =>
    setState((shown) => (shown !== undefined && next.revision < shown.revision ? shown : next));
  const ask: Ask = async (name, question) => {
    const answer = await post(name, question);
    if (typeof answer === 'string') return answer;
    show(answer);
    return undefined;
  };
  useEffect(
    () =>
      listen(show, (isConnected) => {
        setIsLost(!isConnected);
        // A restarted demo counts from one.
        if (!isConnected) setState((shown) => shown && { ...shown, revision: 0 });
      }),
    [],
  );
  return (
    <>
      <p id="connection" role="status">
        {isLost && 'The connection is lost. Trying again…'}
      </p>
      {state !== undefined && (
        <main>
          <MessageOffer people={state.people} ask={ask} />
          <div id="phones" tabIndex={-1}>
            {state.people.length === 0 && (
              <p class="empty">
                Nobody at the emulated Okta has a phone: okta.addUser() adds somebody with a mobilePhone.
              </p>
            )}
            {state.people.map((person) => (
              <Person key={person.id} person={person} about={about} ask={ask} />
            ))}
          </div>
          <Faults state={state} ask={ask} />
          <Sandbox about={about} />
        </main>
      )}
    </>
  );
}

/** Offers to send the WhatsApp message of a link to this page (`?text=`). */
function MessageOffer({ people, ask }: { readonly people: readonly PersonView[]; readonly ask: Ask }) {
  const text = new URLSearchParams(location.search).get('text') ?? '';
  const [result, setResult] = useState('');
  if (text === '') return null;
  const send = async ({ id: userId, firstName }: PersonView): Promise<void> => {
    const failure = await ask('write', { userId, channel: 'whatsapp', text });
    setResult(failure ?? `Sent from ${firstName}'s phone, which shows the reply.`);
  };
  return (
    <section id="asked">
      <h2>Send this by WhatsApp</h2>
      <p class="asked-text">{text}</p>
      <div class="row">
        {people.map((person) => (
          <button key={person.id} type="button" onClick={() => void send(person)}>
            From {person.firstName}’s phone
          </button>
        ))}
      </div>
      <p role="status">{result}</p>
    </section>
  );
}

/** How a phone joins the WhatsApp sandbox: by the QR code, as at Twilio, or by its words. */
function Sandbox({ about: { sandbox } }: { readonly about: PhonesAbout }) {
  const size = sandbox.qrCode.length;
  const dark = sandbox.qrCode.flatMap((row, y) =>
    Array.from(row, (square, x) => (square === '1' ? `M${x} ${y}h1v1h-1z` : '')),
  );
  return (
    <section id="sandbox" aria-labelledby="sandbox-title">
      <h2 id="sandbox-title">The WhatsApp sandbox</h2>
      <svg
        class="qr"
        viewBox={`0 0 ${size} ${size}`}
        role="img"
        aria-label={`QR code of ${sandbox.link}`}
        shape-rendering="crispEdges"
      >
        <path d={dark.join('')} />
      </svg>
      <p>
        At Twilio, a phone that scans this writes <strong>{sandbox.joinWords}</strong> to {sandbox.number}.
        Here the button “Join” does this. A person outside the sandbox gets SMS.
      </p>
    </section>
  );
}
