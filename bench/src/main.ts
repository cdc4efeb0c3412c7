process.stdout.write("usage: npm run bench -- <bench> [--json]\n\nThis build contains no bench.\n");
process.exitCode = process.argv.length > 2 ? 2 : 0;
