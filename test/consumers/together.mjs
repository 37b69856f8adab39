// Runs scripts in one process, which loads the package once; each of them prints a line of JSON, named after it.
for (const script of process.argv.slice(2)) await import(`./${script}`);
