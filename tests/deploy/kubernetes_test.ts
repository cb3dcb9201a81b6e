/** The Kubernetes manifests: they fit together, and gateways start with what they show. */
import assert from "node:assert/strict";
import { parseConfig } from "../../config/config.ts";
import project from "../../deno.json" with { type: "json" };
import { sandboxEnvironment } from "../../sandbox/environment.ts";
import { startSandbox } from "../../sandbox/server.ts";
import { spawnGateway } from "../gateway.ts";
import { parseAllDocuments } from "../sdks/yaml.ts";
import { areKnown, items, read, type Yaml } from "./manifests.ts";

type Manifests = (kind: string) => Yaml;

/** The documents of a file, by their kinds. */
async function manifestsOf(path: string): Promise<Manifests> {
  const documents = parseAllDocuments(await read(path)).map((one) => {
    if (!("errors" in one)) return assert.fail("no document");
    assert.deepEqual(one.errors, []);
    return one.toJS() as Yaml;
  });
  return (kind) => documents.find((one) => `${one["kind"]}` === kind) ?? assert.fail(kind);
}

/** What both files promise; returns the pod and its container. */
async function checkTogether(of: Manifests): Promise<{ pod: Yaml; container: Yaml }> {
  const pod = of("Deployment")["spec"]?.["template"]?.["spec"] ?? assert.fail();
  const [container] = items(pod["containers"]);
  assert.ok(container);
  assert.equal(container["image"], `batchway:${project.version}`);
  assert.equal(pod["securityContext"]?.["runAsNonRoot"], true);
  assert.equal(container["securityContext"]?.["readOnlyRootFilesystem"], true);
  const ports = items(container["ports"]).map((one) => `${one["name"]}`);
  const probes = ["startupProbe", "livenessProbe", "readinessProbe"] as const;
  const paths = probes.map((name) => {
    const ask = container[name]?.["httpGet"] ?? assert.fail(name);
    assert.equal(`${ask["port"]}`, "operations");
    return `${ask["path"]}`;
  });
  assert.deepEqual(paths, ["/healthz", "/healthz", "/readyz"]);
  assert.deepEqual(ports, ["http", "operations"]);
  const selector = of("Service")["spec"]?.["selector"];
  assert.deepEqual(selector, of("Deployment")["spec"]?.["selector"]?.["matchLabels"]);
  assert.deepEqual(selector, of("Deployment")["spec"]?.["template"]?.["metadata"]?.["labels"]);
  // What the root file system does not take goes to a volume, and each volume is there.
  const volumes = items(pod["volumes"]).map((one) => `${one["name"]}`);
  const mounts = items(container["volumeMounts"]).map((one) => `${one["name"]}`);
  assert.deepEqual([...mounts].sort(), [...volumes].sort());
  const given = Object.keys(of("Secret")["stringData"] ?? {});
  await areKnown([...given, ...items(container["env"]).map((one) => `${one["name"]}`)]
    .filter((name) => !name.startsWith("AWS_")));
  return { pod, container };
}

/** The variables of the Secret. */
function secretOf(of: Manifests): Record<string, string> {
  const variables = Object.entries(of("Secret")["stringData"] ?? {});
  return Object.fromEntries(variables.map(([name, text]) => [name, `${text}`]));
}

/** Starts gateways with these variables on simulated providers. */
async function start(
  variables: Readonly<Record<string, string>>,
  count: number,
  work: (urls: readonly string[]) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const sandbox = await startSandbox({ batchSeconds: 1 });
  const data = await Deno.makeTempDir();
  const gateways = [];
  try {
    for (let started = 0; started < count; started++) {
      gateways.push(
        await spawnGateway({
          ...variables,
          ...sandboxEnvironment(sandbox),
          BATCHWAY_DATA: data,
          BATCHWAY_ADMIN_PORT: "0",
        }),
      );
    }
    await work(gateways.map(({ url }) => url));
  } finally {
    for (const gateway of gateways) await gateway.stop();
    await sandbox.close();
    await Deno.remove(data, { recursive: true });
  }
}

Deno.test("the manifests of one gateway fit together, and their probes ask what it answers", async () => {
  const of = await manifestsOf("deploy/kubernetes/batchway.yaml");
  const { pod } = await checkTogether(of);
  assert.equal(
    items(pod["volumes"])[0]?.["persistentVolumeClaim"]?.["claimName"],
    of("PersistentVolumeClaim")["metadata"]?.["name"],
  );
  // A gateway starts with what the secret shows.
  await start(secretOf(of), 1);
});

Deno.test("the manifests of several gateways share a catalog and a bucket, and no disk", async () => {
  const of = await manifestsOf("deploy/kubernetes/several.yaml");
  const { pod, container } = await checkTogether(of);
  assert.ok(Number(of("Deployment")["spec"]?.["replicas"]) > 1);
  const claims = items(pod["volumes"]).filter((one) => one["persistentVolumeClaim"] !== undefined);
  assert.deepEqual(claims, []);
  const labels = of("PodDisruptionBudget")["spec"]?.["selector"]?.["matchLabels"];
  assert.deepEqual(labels, of("Service")["spec"]?.["selector"]);

  const config = of("ConfigMap");
  const mounted = items(pod["volumes"]).find((one) => one["configMap"] !== undefined);
  assert.equal(mounted?.["configMap"]?.["name"], config["metadata"]?.["name"]);
  const [name = "", text] = Object.entries(config["data"] ?? {})[0] ?? [];
  const place = items(container["volumeMounts"]).find((one) => one["name"] === mounted?.["name"]);
  const path = items(container["env"]).find((one) => `${one["name"]}` === "BATCHWAY_CONFIG");
  assert.equal(`${path?.["value"]}`, `${place?.["mountPath"]}/${name}`);

  const secret = secretOf(of);
  const read = await parseConfig(secret, `${text}`, name);
  assert.equal(`${read.catalog}`, "https://kv.example/");
  assert.deepEqual(read.notes, []);
  assert.ok(read.objects.store && "bucket" in read.objects.store);

  // Two gateways with it, on a catalog that is at hand: a key of one is the other's, too.
  const { BATCHWAY_CATALOG: _, DENO_KV_ACCESS_TOKEN: __, ...others } = secret;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/${name}`, `${text}`);
    const variables = { ...others, BATCHWAY_CONFIG: `${folder}/${name}` };
    await start(variables, 2, async ([one = "", other = ""]) => {
      const token = `bwt-${secret["BATCHWAY_ADMIN_KEY_ID"]}-${secret["BATCHWAY_ADMIN_SECRET"]}`;
      const headers = { authorization: `Bearer ${token}` };
      const body = JSON.stringify({ tenant: "team-a", providers: ["openai"] });
      const issued = await fetch(`${one}/keys`, { method: "POST", headers, body });
      assert.equal(issued.status, 201, await issued.clone().text());
      const { accessKeyId } = await issued.json();
      const seen = await fetch(`${other}/keys`, { headers });
      assert.ok((await seen.text()).includes(accessKeyId));
      const ready = await fetch(`${other}/readyz`, { headers });
      assert.equal(ready.status, 200, await ready.text());
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
