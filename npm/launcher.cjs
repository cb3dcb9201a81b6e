#!/usr/bin/env node
// Runs the program with the Deno that the package `deno` holds, with the permissions that its command
// line needs and no others; signals go to the program, its exit code comes back.
"use strict";

const { spawn, spawnSync } = require("node:child_process");
const { existsSync, readFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const process = require("node:process");

const folder = join(__dirname, "program");
const program = join(folder, "batchway.js");

// The program is whole: no configuration, lock or package of the folder that it runs in is its own.
const whole = ["--no-config", "--no-lock", "--no-remote", "--no-npm"];
// Where OTEL_DENO switches traces on: without these Deno exports whole URLs, and signatures in them.
const traces = {
  OTEL_TRACES_SAMPLER: "parentbased_always_off",
  OTEL_PROPAGATORS: "none",
  OTEL_SERVICE_NAME: "batchway",
};
// What asking for the flags of a command line takes.
const ask = ["run", "--quiet", "--no-prompt", "--allow-env", "--allow-read", ...whole];

const windows = process.platform === "win32";
const env = { ...traces, ...process.env, DENO_NO_PACKAGE_JSON: "1", DENO_NO_UPDATE_CHECK: "1" };

/** Where Deno is: in its package, or, where scripts of packages do not run, in that of this system. */
function denoPath() {
  try {
    const own = join(dirname(require.resolve("deno/package.json")), windows ? "deno.exe" : "deno");
    return existsSync(own) ? own : require("deno/install_api.cjs").runInstall();
  } catch (error) {
    fail(
      "Batchway runs on Deno, which the npm package 'deno' installs, and it was not found. Install " +
        `Batchway again, with optional dependencies: ${error.message}`,
    );
  }
}

/** The flags of a command line; those that depend on the configuration are asked of the program. */
function flagsOf(deno, args) {
  const known = JSON.parse(readFileSync(join(folder, "flags.json"), "utf8"));
  const [word = ""] = args;
  const flags = Object.hasOwn(known.commands, word) ? known.commands[word] : known.others;
  if (flags !== null) return flags;
  const options = { env, stdio: ["ignore", "pipe", "inherit"], encoding: "utf8" };
  const asked = spawnSync(deno, [...ask, program, "permissions", ...args], options);
  if (asked.error) fail(`${deno} cannot be run: ${asked.error.message}`);
  if (asked.status !== 0) process.exit(asked.status ?? 1);
  return asked.stdout.split("\n").filter((line) => line !== "");
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

// A terminal, npx and this file may each hand on the same signal: it is one. A second one of a person
// comes later, and ends the program at once.
const sameSignalMilliseconds = 300;

// SIGHUP never ends these, also while they start: the shell, which deno takes the place of, lets it be
// ignored until the program acts on it. Node cannot do that for a child.
const longRunning = ["start", "sandbox"];
const deaf = ["/bin/sh", "-c", 'trap "" HUP; exec "$0" "$@"'];

function run(word, ...line) {
  const [deno] = line;
  const [first, ...others] = !windows && longRunning.includes(word) ? [...deaf, ...line] : line;
  // In a session of its own, a terminal's Ctrl+C reaches the program once: by this process.
  const child = spawn(first, others, { env, stdio: "inherit", detached: !windows });
  const signals = windows ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  const heard = new Map();
  for (const signal of signals) {
    process.on(signal, () => {
      const now = performance.now();
      const before = heard.get(signal) ?? -Infinity;
      heard.set(signal, now);
      // Windows hands Ctrl+C to the program itself.
      if (!windows && now - before > sameSignalMilliseconds) child.kill(signal);
    });
  }
  // npx hands a signal on to a shell only, which ends and leaves this process behind (npm 11.19).
  const parent = process.ppid;
  const look = () => process.ppid === parent || child.kill("SIGTERM");
  if (!windows && process.env.npm_command === "exec") setInterval(look, 200).unref();
  child.on("error", (error) => fail(`${deno} cannot be run: ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code);
    // The shell that waits is to see how the program ended.
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

const args = process.argv.slice(2);
// Until the program runs; what comes then is handed on to it.
if (!windows && longRunning.includes(args[0])) process.on("SIGHUP", () => {});
const deno = denoPath();
run(args[0], deno, "run", ...flagsOf(deno, args), ...whole, program, ...args);
