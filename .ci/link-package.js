// Writes the repository's URL into an unpacked package, and makes the links of its README absolute, because npm's page of a package
// has no other file. `node .ci/link-package.js <folder> <url>`, for .ci/release, which has checked the URL.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const [folder = '', url = ''] = process.argv.slice(2);
const manifestPath = join(folder, 'package.json');
const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
const linked = {
  ...manifest,
  homepage: `${url}#readme`,
  bugs: `${url}/issues`,
  repository: { type: 'git', url: `git+${url}.git` },
};
writeFileSync(manifestPath, `${JSON.stringify(linked, null, 2)}\n`);

const readmePath = join(folder, 'README.md');
// Both GitHub and GitLab serve a file at a tag by these paths. `raw` serves the picture itself.
const absolute = (whole, mark, text, target) =>
  /^(?:\w+:|#)/.test(target)
    ? whole
    : `${mark}[${text}](${url}/${mark === '!' ? 'raw' : 'blob'}/v${manifest.version}/${target})`;
const readme = readFileSync(readmePath, 'utf8');
writeFileSync(readmePath, readme.replaceAll(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, absolute));
