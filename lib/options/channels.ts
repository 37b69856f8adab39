/** What JavaScript may get wrong in a channel of its own, and no compiler tells. */

/** @param path - the channel's place in the options. */
export function channelProblems(path: string, channel: object): readonly string[] {
  const { reports, lookUp, confirm, check, idNamespace } = channel as {
    readonly reports?: unknown;
    readonly lookUp?: unknown;
    readonly confirm?: unknown;
    readonly check?: unknown;
    readonly idNamespace?: unknown;
  };
  const problems: string[] = [];
  if (reports !== undefined && reports !== 'failures' && reports !== 'deliveries') {
    problems.push(`${path}.reports must be 'failures' or 'deliveries', or be left out`);
  }
  if (lookUp !== undefined && typeof lookUp !== 'function') {
    problems.push(
      `${path}.lookUp must be a function (transactionId, context) => what became of the message, or be left out`,
    );
  }
  if (confirm !== undefined && typeof confirm !== 'function') {
    problems.push(`${path}.confirm must be a function (transactionId, context) => a promise, or be left out`);
  }
  if (check !== undefined && typeof check !== 'function') {
    problems.push(`${path}.check must be a function (context) => a promise, or be left out`);
  }
  if (idNamespace !== undefined && !(typeof idNamespace === 'string' && /^[\w.-]{1,64}$/.test(idNamespace))) {
    problems.push(`${path}.idNamespace must be a word of letters, digits, '.', '-' and '_', or be left out`);
  }
  return problems;
}
