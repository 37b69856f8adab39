/** Every character but those of XML 1.0: most control characters, and half of a surrogate pair. */
const NOT_IN_XML = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** A text for TwiML, without the characters that XML cannot hold: the SDK throws an error that quotes the text. */
export function twimlText(text: string): string {
  return text.replace(NOT_IN_XML, '');
}
