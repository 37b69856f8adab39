// Prints the bill of materials (CycloneDX) of an installation of this package, from the lock file. It contains no path of this machine
// and no address of its registry.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const ROOT = join(import.meta.dirname, '..');

/** Licences that the lock file does not have, read in the packages of exactly these versions. */
const LICENCES = {
  // In package.json, in the old form.
  'passport-strategy@1.0.0': 'MIT',
  // In its Readme.md.
  'pause@0.0.1': 'MIT',
};

/** Development packages that the scripts of the pages contain. */
const BUNDLED = ['node_modules/preact'];

const read = (file) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
const shipped = new Set(
  Object.entries(read('package-lock.json').packages)
    .filter(([path]) => path !== '')
    .filter(([path, { dev, devOptional }]) => (!dev && !devOptional) || BUNDLED.includes(path))
    .map(([path, { name, version }]) => `${name ?? path.split('node_modules/').at(-1)}@${version}`),
);
const stale = Object.keys(LICENCES).filter((id) => !shipped.has(id));
if (stale.length > 0)
  throw new Error(`.ci/sbom.js knows a licence of what is not shipped: ${stale.join(', ')}`);

// All packages; development ones are removed here, because npm 11's `--omit=dev` also drops packages that a development dependency
// shares, such as qs and lru-cache.
const bom = JSON.parse(
  execFileSync('npm', ['sbom', '--package-lock-only', '--include=dev', '--sbom-format=cyclonedx'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    // On Windows, npm is a script.
    shell: process.platform === 'win32',
  }),
);

const self = bom.metadata.component;
// npm takes the name from the folder.
self.name = read('package.json').name;
bom.components = bom.components.filter((component) => shipped.has(component['bom-ref']));
bom.dependencies = bom.dependencies
  .filter(({ ref }) => ref === self['bom-ref'] || shipped.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((needed) => shipped.has(needed)) }));
for (const component of bom.components) {
  // The download's address may be a mirror's. `purl` and the hash identify the package.
  component.externalReferences = component.externalReferences.filter(({ type }) => type !== 'distribution');
  const id = LICENCES[component['bom-ref']];
  if (id !== undefined) component.licenses = [{ license: { id } }];
}
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`);
