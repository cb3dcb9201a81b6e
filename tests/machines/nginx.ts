/** nginx with the configurations that the documentation shows. */
import { fileURLToPath } from "node:url";
import { debianProgram, type Program } from "../debian.ts";

/** What is run. */
export interface NginxOptions {
  readonly program: string;
  /** For what it writes. */
  readonly folder: string;
  /** What goes into its http block. */
  readonly site: string;
  /** It serves once this answers. */
  readonly url: string;
  /** What its certificate is signed by. */
  readonly caCert?: string;
}

/** nginx: that on the search path, else Debian's. */
export function findNginx(): Promise<Program> {
  return debianProgram({ name: "nginx", path: "usr/sbin/nginx", probe: ["-v"] });
}

/** A configuration of the documentation. */
export function exampleOf(name: string): Promise<string> {
  return Deno.readTextFile(fileURLToPath(new URL(`../../docs/${name}`, import.meta.url)));
}

/** Starts nginx, which ends with the stack, and waits until it serves. */
export async function startNginx(
  { program, folder, site, url, caCert }: NginxOptions,
  stack: AsyncDisposableStack,
): Promise<void> {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${folder}/nginx-${kind};`).join("\n");
  const whole = `daemon off; master_process off; pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log warn;
events {}
http { access_log off; ${temporary}\n${site} }\n`;
  await Deno.writeTextFile(`${folder}/nginx.conf`, whole);
  const child = new Deno.Command(program, {
    args: ["-p", folder, "-e", `${folder}/nginx.log`, "-c", `${folder}/nginx.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let ended = false;
  const status = child.status.then(() => void (ended = true));
  stack.defer(async () => {
    if (!ended) child.kill("SIGTERM");
    await status;
  });
  using client = Deno.createHttpClient({ caCerts: caCert === undefined ? [] : [caCert] });
  for (let looks = 0; looks < 400 && !ended; looks++) {
    const answer = await fetch(url, { client }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer && answer.status < 500) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`nginx does not serve:\n${await Deno.readTextFile(`${folder}/nginx.log`)}`);
}
