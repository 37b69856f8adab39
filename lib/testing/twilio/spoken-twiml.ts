/** A tag of a TwiML document (opening, closing or both in one), a text, or a stray `<`. */
const TOKEN = /<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+|</g;
const PROLOGUE = /^\s*<\?xml[^?]*\?>/;
const ENTITY = /&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);/gi;
const NAMED_ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The kind of element whose texts are read. */
type Verb = 'Say' | 'Message';

interface OpenElement {
  readonly name: string;
  readonly loop: number;
  words: string;
}

/** The words that a call with this TwiML speaks; `undefined` if it is not TwiML. */
export function wordsOfTwiml(twiml: string): string | undefined {
  return textsOf(twiml, 'Say')?.join(' ');
}

/** The messages with which this TwiML replies; `undefined` if it is not TwiML. */
export function messagesOfTwiml(twiml: string): readonly string[] | undefined {
  return textsOf(twiml, 'Message');
}

/**
 * The texts of every element of one kind, each as often as it is said. `undefined` if the document is not well-formed or
 * no `<Response>`. It reads as much XML as Twilio documents; comments and CDATA count as not well-formed.
 */
function textsOf(twiml: string, verb: Verb): readonly string[] | undefined {
  const open: OpenElement[] = [];
  const texts: string[] = [];
  let isOver = false;
  for (const tokens of twiml.replace(PROLOGUE, '').trim().matchAll(TOKEN)) {
    const [token, closing, name, attributes = '', selfClosing] = tokens;
    if (isOver) return undefined;
    const inner = open.at(-1);
    if (name === undefined) {
      const text = decodeText(token);
      if (text === undefined || inner === undefined) return undefined;
      inner.words += text;
    } else if (closing === '/') {
      if (inner?.name !== name || attributes !== '') return undefined;
      open.pop();
      const parent = open.at(-1);
      if (name === verb) texts.push(...Array.from({ length: inner.loop }, () => inner.words));
      // An element inside <Say>, such as <say-as>, is spoken with it.
      else if (parent !== undefined) parent.words += inner.words;
      isOver = parent === undefined;
    } else {
      if (inner === undefined && name !== 'Response') return undefined;
      if (selfClosing !== '/') open.push({ name, loop: loopOf(attributes), words: '' });
      // <break/> between two words keeps them apart.
      else if (inner !== undefined) inner.words += ' ';
      else isOver = true;
    }
  }
  return isOver ? cleaned(texts) : undefined;
}

function loopOf(attributes: string): number {
  return Number(/\bloop\s*=\s*["'](\d+)["']/.exec(attributes)?.[1] ?? '1');
}

function decodeText(text: string): string | undefined {
  if (/[&<]/.test(text.replace(ENTITY, ''))) return undefined;
  return text.replace(ENTITY, (entity) => {
    const name = entity.slice(1, -1).toLowerCase();
    if (!name.startsWith('#')) return NAMED_ENTITIES[name] ?? entity;
    const code = name.startsWith('#x') ? parseInt(name.slice(2), 16) : Number(name.slice(1));
    return code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });
}

function cleaned(texts: readonly string[]): readonly string[] {
  return texts.map((text) => text.replace(/\s+/g, ' ').trim()).filter((text) => text !== '');
}

/** The language of the first <Say>, BCP 47; `undefined` if there is none. */
export function languageOfTwiml(twiml: string): string | undefined {
  return /<Say\b[^>]*?\blanguage\s*=\s*["']([\w-]+)["']/.exec(twiml)?.[1];
}
