// Prints the bill of materials (CycloneDX) of what an installation of this package brings, read from the lock
// file: nothing of the machine or of the registry that it was made with is in it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = join(import.meta.dirname, '..');

/** Licences that the lock file does not know, read in the packages: of these versions, and of no others. */
const LICENCES = {
  // In package.json, in the old form.
  'passport-strategy@1.0.0': 'MIT',
  // In its Readme.md.
  'pause@0.0.1': 'MIT',
};

const read = (file) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const shipped = new Set(
  Object.entries(read('package-lock.json').packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true)
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`),
);
const stale = Object.keys(LICENCES).filter((id) => !shipped.has(id));
if (stale.length > 0)
  throw new Error(`.ci/sbom.js knows a licence of what is not shipped: ${stale.join(', ')}`);

// All of it, and the rest taken out here: npm 11's own `--omit=dev` leaves out every package that a development
// dependency needs too, qs and lru-cache among them.
const bom = JSON.parse(
  execFileSync('npm', ['sbom', '--package-lock-only', '--include=dev', '--sbom-format=cyclonedx'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // npm is a script of its own on Windows.
    shell: process.platform === 'win32',
  }),
);

const self = bom.metadata.component;
// npm names it after the folder.
self.name = read('package.json').name;
bom.components = bom.components.filter((component) => shipped.has(component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === self['bom-ref'] || shipped.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((needed) => shipped.has(needed)) }));
for (const component of bom.components) {
  // The address it came from may be a mirror's; `purl` and the hash say what it is.
  component.externalReferences = component.externalReferences.filter(({ type }) => type !== 'distribution');
  const id = LICENCES[component['bom-ref']];
  if (id !== undefined) component.licenses = [{ license: { id } }];
}
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
