/** The jobs of the simulated Bedrock, brought up to date whenever someone asks. */
import { Failure } from "../../codecs/failure.ts";
import type { SandboxContext } from "../context.ts";
import { createS3Data, toJson } from "../s3/data.ts";
import { type Job, phaseAt } from "./job.ts";
import { type RecordsContext, runRecords, validateRecords } from "./records.ts";

/** Jobs as they are now. */
export interface Jobs {
  /** Up to date; undefined where there is none in this region. */
  find(id: string, region: string): Promise<Job | undefined>;
  /** All of a region, up to date, in the order of their creation. */
  list(region: string): Promise<Job[]>;
  /** Stores a new job. */
  add(job: Job): void;
  /** Changes what is stored of a job now, which may be more than the caller has seen. */
  change(id: string, change: Partial<Job>): void;
  /** The job that a client's token has created already. */
  byToken(token: string, region: string): Job | undefined;
}

const collections = { jobs: "bedrock-jobs", tokens: "bedrock-tokens" } as const;

/** Opens the jobs that lie in a store. */
export function createJobs(context: SandboxContext): Jobs {
  const { store, options, now } = context;
  const records: RecordsContext = { ...context, data: createS3Data(context) };
  /** A caller that asks for a job while it is brought up to date waits for the same work. */
  const running = new Map<string, Promise<Job>>();

  const read = (id: string) => store.get(collections.jobs, id) as unknown as Job | undefined;
  const set = (job: Job) => store.set(collections.jobs, job.id, toJson(job));
  const change = (id: string, part: Partial<Job>) => {
    const job = read(id);
    // The store may have been emptied: a job that is gone is not brought back.
    if (job !== undefined) set({ ...job, ...part });
  };

  /** Does what the job would have done by itself in the time that has passed. */
  async function advance(job: Job): Promise<Job> {
    if (job.end !== undefined) return job;
    const phase = phaseAt(job, now().getTime(), options);
    const update = (part: Partial<Job>): Job => {
      change(job.id, part);
      return read(job.id) ?? { ...job, ...part };
    };
    if (phase.validated && job.valid === undefined) {
      try {
        job = update({ valid: await validateRecords(job, records) });
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const time = new Date(phase.since).toISOString();
        return update({ end: { status: "Failed", time, message: error.message } });
      }
    }
    switch (phase.status) {
      case "Completed":
      case "PartiallyCompleted":
      case "Stopped": {
        const time = new Date(phase.since).toISOString();
        const { total = 0 } = job.valid ?? {};
        const limit = Math.floor(total * phase.progress);
        // A job that was stopped before it ran leaves nothing behind.
        const counts = phase.progress === 0
          ? { total, processed: 0, success: 0, error: 0 }
          : await runRecords(job, total, limit, records);
        return update({ end: { status: phase.status, time, counts } });
      }
      case "Expired": {
        const time = new Date(phase.since).toISOString();
        const message = "The job did not start before its timeout.";
        return update({ end: { status: "Expired", time, message } });
      }
      default:
        return job;
    }
  }

  function current(job: Job): Promise<Job> {
    let work = running.get(job.id);
    if (work === undefined) {
      work = advance(job).finally(() => running.delete(job.id));
      running.set(job.id, work);
    }
    return work;
  }

  return {
    async find(id, region) {
      const job = read(id);
      return job === undefined || job.region !== region ? undefined : await current(job);
    },
    async list(region) {
      const jobs: Job[] = [];
      for (const [, document] of store.list(collections.jobs)) {
        const job = document as unknown as Job;
        if (job.region === region) jobs.push(await current(job));
      }
      return jobs;
    },
    add(job) {
      set(job);
      if (job.clientRequestToken !== undefined) {
        store.set(collections.tokens, `${job.region}/${job.clientRequestToken}`, job.id);
      }
    },
    change,
    byToken(token, region) {
      const id = store.get(collections.tokens, `${region}/${token}`);
      return typeof id === "string" ? read(id) : undefined;
    },
  };
}
