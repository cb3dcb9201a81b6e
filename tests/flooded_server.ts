/** A listener in a process of its own, which may have few file descriptors; it says what happens. */
import { serve } from "../serve.ts";

const encoder = new TextEncoder();
const say = (word: string) => void Deno.stdout.writeSync(encoder.encode(`${word}\n`));
const go = Promise.withResolvers<void>();
const listener = serve(async (request) => {
  if (request.url.endsWith("/slow")) {
    say("at work");
    await go.promise;
  }
  if (request.url.endsWith("/go")) go.resolve();
  return new Response("answered");
}, {
  hostname: "127.0.0.1",
  port: 0,
  escaped: (error) => say(`escaped ${error}`),
  reservePath: ".",
  warn: say,
  lost: () => say("lost"),
});
say(listener.url);
