/** What whoever is not let in gets to see. They get no style sheet either. */
export function refusalPage(title: string, sentences: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${escape(title)}</title>
    <link rel="icon" href="data:,">
  </head>
  <body>
    <main>
      <h1>${escape(title)}</h1>
${sentences.map((sentence) => `      <p>${escape(sentence)}</p>`).join('\n')}
    </main>
  </body>
</html>
`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function escape(text: string): string {
  return text.replace(/[&<>]/g, (sign) => ESCAPES[sign] ?? '');
}
