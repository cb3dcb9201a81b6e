/** nginx as a reference: what a proxy of C does with the same bytes, where it is installed. */
import { fileURLToPath } from "node:url";
import { type ServingProcess, startProcess } from "./processes.ts";

/** Starts nginx in front of an upstream; undefined where it is not installed. */
export async function startNginx(
  folder: string,
  upstream: string,
): Promise<ServingProcess | undefined> {
  const program = await find("nginx");
  if (program === undefined) return undefined;
  return await startProcess({
    command: (port) => {
      const file = `${folder}/nginx-${port}.conf`;
      Deno.writeTextFileSync(file, configuration(folder, port, new URL(upstream).host));
      return [program, "-p", folder, "-e", `${folder}/nginx.log`, "-c", file];
    },
    ready: "/healthz",
  });
}

/** One worker that streams both ways, as the gateway does. */
function configuration(folder: string, port: number, upstream: string): string {
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join("\n  ");
  return `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off;
  ${folders}
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_buffering off;
  proxy_http_version 1.1;
  proxy_set_header connection "";
  keepalive_requests 1000000;
  upstream source { server ${upstream}; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:${port};
    location = /healthz { return 200; }
    location / { proxy_pass http://source; }
  }
}
`;
}

/** On the search path, or where the tests have unpacked Debian's. */
async function find(program: string): Promise<string | undefined> {
  const unpacked = fileURLToPath(new URL(`../.cache/${program}/usr/sbin`, import.meta.url));
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", unpacked];
  for (const folder of folders) {
    try {
      if ((await Deno.stat(`${folder}/${program}`)).isFile) return `${folder}/${program}`;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}
