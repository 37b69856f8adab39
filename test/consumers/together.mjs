// Runs scripts in one process, so that it loads the package once. Each script prints a line of JSON under its name.
for (const script of process.argv.slice(2)) await import(`./${script}`);
