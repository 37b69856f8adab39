/** What can be said of a thrown value without its message, which may quote what a user wrote or what was sent. */

/** Causes of an error may go in a circle. */
const MAX_CAUSES = 5;

/**
 * The code of an error or of its causes, where fetch hides it. The message is not used: it may quote what was
 * sent. Takes anything: a thrown value may throw when it is read.
 */
export function codeOfThrown(thrown: unknown): string {
  try {
    let error = thrown;
    for (let depth = 0; depth < MAX_CAUSES; depth += 1) {
      const { code, cause } = Object(error) as { readonly code?: unknown; readonly cause?: unknown };
      if (typeof code === 'string' && /^[A-Z][A-Z_]{2,40}$/.test(code)) return code;
      error = cause;
    }
  } catch {
    // No code can be read.
  }
  return '';
}

/** The class of an error, if it is a subclass. Only a word of a program passes, not personal data. */
function classOf(thrown: unknown): string {
  try {
    if (!(thrown instanceof Error)) return '';
    const { name, constructor } = thrown;
    const className: unknown = name === 'Error' ? constructor.name : name;
    const isName = typeof className === 'string' && /^[A-Z][A-Za-z_]{2,40}$/.test(className);
    return isName && className !== 'Error' ? ` ${className}` : '';
  } catch {
    return '';
  }
}

/** Says who threw, with the class and the code of the error if they are known: `The channel threw TypeError (ECONNRESET)`. */
export function describeThrown(who: string, thrown: unknown): string {
  const code = codeOfThrown(thrown);
  return `${who} threw${classOf(thrown)}${code === '' ? '' : ` (${code})`}`;
}
