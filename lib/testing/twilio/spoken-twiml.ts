/** A tag of a TwiML document: opening, closing or both in one. */
const TAG = /<(\/?)([A-Za-z][\w:.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const PROLOGUE = /^\s*<\?xml[^?]*\?>/;
const ENTITY = /&(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);/gi;
const NAMED_ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** How often an endless `<Say loop="0">` is heard before the phone hangs up. */
const PATIENCE = 3;

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
  const document = twiml.replace(PROLOGUE, '').trim();
  const open: OpenElement[] = [];
  const texts: string[] = [];
  let position = 0;
  while (position < document.length) {
    const tagAt = document.indexOf('<', position);
    const end = tagAt === -1 ? document.length : tagAt;
    const text = decodeText(document.slice(position, end));
    if (text === undefined) return undefined;
    const inner = open.at(-1);
    if (inner === undefined) {
      // Text outside the root.
      if (text.trim() !== '') return undefined;
    } else {
      inner.words += text;
    }
    if (tagAt === -1) break;

    TAG.lastIndex = tagAt;
    const tag = TAG.exec(document);
    if (tag === null) return undefined;
    const [whole, closing, name = '', attributes = '', selfClosing] = tag;
    position = tagAt + whole.length;
    if (closing === '/') {
      const element = open.pop();
      if (element?.name !== name || attributes !== '') return undefined;
      closeElement(element, open.at(-1), verb, texts);
      if (open.length === 0) return document.slice(position).trim() === '' ? cleaned(texts) : undefined;
      continue;
    }
    if (open.length === 0 && name !== 'Response') return undefined;
    if (selfClosing !== '/') {
      open.push({ name, loop: loopOf(attributes), words: '' });
      continue;
    }
    if (open.length === 0) return document.slice(position).trim() === '' ? [] : undefined;
    // <break/> between two words keeps them apart.
    if (inner !== undefined) inner.words += ' ';
  }
  return undefined;
}

function closeElement(
  element: OpenElement,
  parent: OpenElement | undefined,
  verb: Verb,
  texts: string[],
): void {
  if (element.name === verb) {
    for (let time = 0; time < element.loop; time += 1) texts.push(element.words);
    return;
  }
  // An element inside <Say>, such as <say-as>, is spoken with it.
  if (parent !== undefined) parent.words += element.words;
}

function loopOf(attributes: string): number {
  const loop = Number(/\bloop\s*=\s*["'](\d+)["']/.exec(attributes)?.[1] ?? '1');
  return loop === 0 ? PATIENCE : loop;
}

function decodeText(text: string): string | undefined {
  if (text.replace(ENTITY, '').includes('&')) return undefined;
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
