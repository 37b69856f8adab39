import { useState } from 'preact/hooks';
import type { PhoneItem } from '../api.js';
import { Icon } from './icon.js';
import { callStateOf, exactTimeOf, languageName, receiptOf, timeOf } from './words.js';

interface BubbleProps {
  readonly item: PhoneItem;
  readonly isUnread: boolean;
}

/** A message or a call on a phone. */
export function Bubble(props: BubbleProps) {
  return props.item.channel === 'voice' ? <Call {...props} /> : <Message {...props} />;
}

function Message({ item, isUnread }: BubbleProps) {
  const { isOwn, language, text, at, button } = item;
  const receipt = receiptOf(item);
  return (
    <div class={`bubble ${isOwn ? 'own' : 'theirs'}${isUnread ? ' unread' : ''}`}>
      <p class="text" lang={language}>
        {text}
      </p>
      <p class="meta">
        <Time at={at} />
        {receipt !== undefined && (
          <span class={receipt === 'Read' ? 'receipt read' : 'receipt'}>
            <Icon name={receipt === 'Sent' ? 'tick' : 'ticks'} />
            <span class="unseen">{receipt}</span>
          </span>
        )}
      </p>
      {button !== undefined && <CopyButton label={button.text} copies={button.copies} />}
    </div>
  );
}

function Call({ item, isUnread }: BubbleProps) {
  const { language, text, at, with: caller } = item;
  const state = callStateOf(item);
  const isRinging = state === 'Ringing…';
  return (
    <div class={`call${isRinging ? ' ringing' : ''}${isUnread ? ' unread' : ''}`}>
      <div class="caller">
        <Icon name="voice" />
      </div>
      <p class="call-from">{caller}</p>
      <p class="call-state">{state}</p>
      {/* The words are heard after the phone is answered. */}
      {!isRinging && (
        <blockquote lang={language} aria-label="Words of the call">
          <p>{text}</p>
        </blockquote>
      )}
      <p class="meta">
        <Time at={at} />
        {language !== undefined && ` · in ${languageName(language)}`}
      </p>
    </div>
  );
}

function Time({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTimeOf(at)}>
      {timeOf(at)}
    </time>
  );
}

function CopyButton({ label, copies }: { readonly label: string; readonly copies: string }) {
  const [words, setWords] = useState(label);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(copies);
      setWords('Copied');
    } catch {
      setWords('Not allowed to copy');
    }
  };
  return (
    <button type="button" class="copy" onClick={() => void copy()}>
      <Icon name="copy" />
      <span aria-live="polite">{words}</span>
    </button>
  );
}
