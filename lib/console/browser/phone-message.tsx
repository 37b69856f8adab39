import { nameChannel } from '../../events/description.js';
import type { SentWords } from '../api.js';

interface PhoneMessageProps {
  readonly words: SentWords;
  /** The code of the request that was sent; `undefined` if it had none. */
  readonly code: string | undefined;
}

/** The message as the phone shows it, or the words of the call. */
export function PhoneMessage({ words: { channel, locale, parts }, code = '••••••' }: PhoneMessageProps) {
  const isCall = channel === 'voice';
  const shown = isCall ? Array.from(code).join(', ') : code;
  return (
    <figure class={`phone by-${isCall || channel === 'whatsapp' ? channel : 'text'}`}>
      <figcaption>{isCall ? 'The call says' : `On the phone, by ${nameChannel(channel)}`}</figcaption>
      {parts === undefined ? (
        <>
          <p class="bubble">
            <strong>{code}</strong> …
          </p>
          <p class="hint">The template at the provider has the other words, in {locale}.</p>
        </>
      ) : (
        <blockquote class="bubble" lang={locale}>
          {parts.join(shown)}
        </blockquote>
      )}
    </figure>
  );
}
