process.stdout.write("usage: npm start -- [--for 30s] [--clients N] [--json]\n\nThis build contains no demonstration.\n");
process.exitCode = process.argv.length > 2 ? 2 : 0;
