/** The least server on the framework that the gateway uses: what its start is measured beside. */
import { Hono } from "@hono/hono";

const app = new Hono();
app.get("/healthz", (c) => c.text("ok"));
Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.args[0]), onListen() {} }, app.fetch);
