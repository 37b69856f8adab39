// Style sheets are published as they stand, beside the modules that the compiler makes.
import { cpSync, existsSync, readdirSync } from 'node:fs';

for (const room of readdirSync('lib')) {
  const folder = `lib/${room}/browser`;
  if (!existsSync(folder)) continue;
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.css')) cpSync(`${folder}/${file}`, `dist/${room}/browser/${file}`);
  }
}
