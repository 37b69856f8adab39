import { COMMANDS } from '#lib/cli/program.js';

/** The page of the command line, from each command's own help. */
export function commandLinePage(): string {
  const commands = COMMANDS.map(({ name, summary, help, exitCodes, hasVariables = true }) => {
    const codes = exitCodes ?? '0 done, 1 failed or declined, 2 bad use';
    const env = hasVariables ? '' : ' It has no `--env`.';
    return `## ${name}\n\nThe command ${summary}.${env}\n\n\`\`\`\n${help}\n\`\`\`\n\nExit codes: ${codes}.`;
  });
  return `# Command line

\`npx okta-telephony-hook\` has these commands. In a clone, run \`npm run build\` once, and write \`node dist/cli/main.js\` instead of \`npx okta-telephony-hook\`.

Every command has these options:

- \`--json\`: prints one JSON text on standard output, and everything else on standard error. The setup commands print \`{ command, org, result, done, warnings, next, id?, error? }\`.
- \`--env <file>\`: reads variables that the environment does not have from lines of \`NAME=value\`. See [environment variables](environment.md).
- \`-h\`, \`--help\`: prints the help. With \`--json\` the help is JSON.
- \`--version\`, without a command: prints the version.

Colours appear at a terminal only, and not with \`NO_COLOR\`. Control characters, and characters that turn or hide text, show as \`\\x1b\` or \`\\u202e\`. Secrets come from the environment, a file or a question. They are never arguments, and no output shows one.

${commands.join('\n\n')}
`;
}
