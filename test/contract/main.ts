import { argv, exit, stderr, stdout } from 'node:process';
import { installTools } from '../harness/own-tools.js';
import { readDocuments } from './documents.js';

const USAGE = "Use: npm run contract -- <folder with the vendors' documents>\n";

const [folder, ...others] = argv.slice(2);
if (folder === '--help') {
  stdout.write(USAGE);
  exit(0);
}
if (folder === undefined || others.length > 0) {
  stderr.write(USAGE);
  exit(2);
}
installTools('contract');
const documents = await readDocuments(folder).catch((error: unknown) => {
  stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  exit(2);
});
// Imported late, because its imports are large and help does not need them.
const { runContract } = await import('./run.js');
exit(await runContract(folder, documents));
