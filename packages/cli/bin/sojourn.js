#!/usr/bin/env node
// A file of its own, so that npm can link it before the package is built.
import "../dist/main.js";
