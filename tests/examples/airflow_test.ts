/**
 * The Airflow DAG with the operators and sensors of `apache-airflow-providers-amazon`. Airflow is
 * large: the test runs where BATCHWAY_TEST_AIRFLOW names a virtual environment that has it
 * (examples/airflow/README.md).
 */
import assert from "node:assert/strict";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sandboxKeys } from "../../sandbox/context.ts";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "../sdks/client_s3.ts";
import { withKeys } from "../keys.ts";
import { runProgram } from "../program.ts";
import { configurationFor, example, printed } from "./session.ts";

const venv = Deno.env.get("BATCHWAY_TEST_AIRFLOW");

interface Seen {
  readonly state: string;
  readonly tasks: Readonly<Record<string, string>>;
  readonly jobArn: string;
  readonly runId: string;
}

for (const isDeferred of [false, true]) {
  const what = `Airflow's operators and ${isDeferred ? "deferred sensors" : "sensors"} run a job`;
  Deno.test({
    name: venv === undefined
      ? `${what} (ignored: BATCHWAY_TEST_AIRFLOW names no virtual environment)`
      : `${what} with their files in S3 itself`,
    ignore: venv === undefined,
    fn: () =>
      withKeys(async ({ url, sandbox }, keys) => {
        const key = await keys.add({ defaultProvider: "openai" });
        const own = {
          accessKeyId: sandboxKeys.awsAccessKeyId,
          secretAccessKey: sandboxKeys.awsSecretAccessKey,
        };
        const region = "us-west-2";
        const connections = {
          AIRFLOW_CONN_AWS_FILES: connection(own, "s3", sandbox.s3Url),
          AIRFLOW_CONN_BATCHWAY: connection(key, "bedrock", `${url}/bedrock`),
        };
        const s3 = new S3Client({
          region,
          endpoint: sandbox.s3Url,
          forcePathStyle: true,
          credentials: own,
        });
        const home = await Deno.makeTempDir({ prefix: "batchway-airflow-" });
        try {
          await s3.send(new CreateBucketCommand({ Bucket: "real-data" }));
          const { state, tasks, jobArn, runId } = await runDag(home, {
            ...connections,
            DEFERRABLE: isDeferred ? "1" : "0",
          });
          const success = { put: "success", create: "success", wait: "success" };
          assert.deepEqual(tasks, { ...success, results: "success" });
          assert.equal(state, "success");
          const Key = `output/${jobArn.split("/").at(-1)}/${runId}.jsonl.out`;
          const results = await s3.send(new GetObjectCommand({ Bucket: "real-data", Key }));
          const lines = (await results.Body?.transformToString() ?? "").trimEnd().split("\n");
          assert.deepEqual(lines.map((line) => JSON.parse(line).recordId), [
            "question-1",
            "question-2",
            "question-3",
          ]);
        } finally {
          s3.destroy();
          await Deno.remove(home, { recursive: true });
        }
      }, { configuration: configurationFor("bedrock"), sandbox: { batchSeconds: 1.5 } }),
  });
}

/** A connection of type aws as Airflow reads it from its environment. */
function connection(
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  service: string,
  endpoint: string,
): string {
  return JSON.stringify({
    conn_type: "aws",
    login: key.accessKeyId,
    password: key.secretAccessKey,
    extra: { region_name: "us-west-2", service_config: { [service]: { endpoint_url: endpoint } } },
  });
}

async function runDag(home: string, env: Readonly<Record<string, string>>): Promise<Seen> {
  const bin = join(venv ?? "", "bin");
  const script = fileURLToPath(new URL("./run_dag.py", import.meta.url));
  const run = await runProgram(join(bin, "python"), [script, example("airflow")], {
    ...env,
    HOME: home,
    AIRFLOW_HOME: home,
    AIRFLOW__CORE__LOAD_EXAMPLES: "False",
    AIRFLOW__CORE__DAGS_FOLDER: example("airflow"),
    PATH: `${bin}${delimiter}${Deno.env.get("PATH") ?? ""}`,
    POLL_SECONDS: "1",
  }, 180);
  return JSON.parse(printed(run).trimEnd().split("\n").at(-1) ?? "");
}
