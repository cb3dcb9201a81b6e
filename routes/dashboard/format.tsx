/** Facts, times, sizes and states as pages show them. */
import { visible } from "../../codecs/visible.ts";
import type { Child } from "@hono/hono/jsx";
import type { JobStatus } from "../../codecs/job_status.ts";

/** A name with its value; nothing where there is none. */
export function Fact(
  { name, isLong = false, children }: {
    readonly name: string;
    /** It has a line of its own. */
    readonly isLong?: boolean;
    readonly children?: Child;
  },
) {
  if (children === undefined || children === null || children === false || children === "") {
    return null;
  }
  return (
    <div {...(isLong && { class: "long" })}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The reason of a row: its beginning, where it is long, and the whole of it as its title. */
export function Reason({ text }: { readonly text: string | undefined }) {
  const shown = visible(text ?? "");
  return (
    <td data-label="Reason" class="reason">
      {shown !== "" && <span title={shown}>{shown}</span>}
    </td>
  );
}

/** A point in time, with how long ago it was. */
export function Ago({ at, now }: { readonly at: number; readonly now: number }) {
  const iso = new Date(at).toISOString();
  const shown = at > now ? `in ${duration(at - now)}` : `${duration(now - at)} ago`;
  return <time datetime={iso} title={iso}>{shown}</time>;
}

/** A point in time, in UTC; the whole of it is its title. */
export function Moment({ at }: { readonly at: number }) {
  const iso = new Date(at).toISOString();
  return <time datetime={iso} title={iso}>{iso.slice(0, 16).replace("T", " ")} UTC</time>;
}

/** A day, in UTC; the whole time is its title. */
export function Day({ at }: { readonly at: number }) {
  const iso = new Date(at).toISOString();
  return <time datetime={iso} title={iso}>{iso.slice(0, 10)}</time>;
}

const units = [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000]] as const;

/** A span of time in its largest unit: `3 h`. */
export function duration(milliseconds: number): string {
  const [unit, size] = units.find(([, size]) => milliseconds >= size) ?? ["s", 1_000];
  return `${Math.max(0, Math.floor(milliseconds / size))} ${unit}`;
}

/** A size in a unit that people read: `1.5 MiB`. */
export function size(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(names.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${names[power]}`;
}

/** A count with its thousands apart. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** What a status means for the eye: the text is always there beside the colour. */
const tones: Readonly<Record<JobStatus, "busy" | "good" | "bad" | "quiet">> = {
  Submitted: "busy",
  Validating: "busy",
  Scheduled: "busy",
  InProgress: "busy",
  Stopping: "busy",
  Completed: "good",
  PartiallyCompleted: "bad",
  Failed: "bad",
  Expired: "bad",
  Stopped: "quiet",
};

/** A job's status. */
export function State({ status }: { readonly status: JobStatus }) {
  return <span class={`state ${tones[status]}`}>{status}</span>;
}

/** A bar that shows how many records of a job are done, with the numbers. */
export function Progress(
  { counts, name }: {
    readonly counts:
      | { readonly total: number; readonly processed: number; readonly error: number }
      | undefined;
    readonly name: string;
  },
) {
  if (!counts || counts.total === 0) return <span class="quiet">not known</span>;
  return (
    <span class="progress">
      <progress aria-label={`Progress of ${name}`} value={counts.processed} max={counts.total}>
      </progress>
      <span>{`${count(counts.processed)} of ${count(counts.total)}`}</span>
      {counts.error > 0 && <span class="bad">{`${count(counts.error)} failed`}</span>}
    </span>
  );
}

/** A cost in USD, or that it is not known. */
export function costText(cost: number | null): string {
  if (cost === null) return "not known";
  if (cost === 0) return "$0";
  return cost < 0.0001 ? "< $0.0001" : `$${cost.toFixed(cost < 1 ? 4 : 2)}`;
}
