/** Figures of one process in the text form that Prometheus reads (exposition format 0.0.4). */

/** The content type of that form. */
export const metricsType = "text/plain; version=0.0.4";

/** A value for each set of labels; the labels as {@linkcode labels} writes them. */
export interface Counter {
  add(labels: string, more?: number): void;
}

/** A value that goes up and down. */
export interface Gauge {
  set(labels: string, value: number): void;
  /** Forgets all values: a set of labels that is gone must not be shown for ever. */
  clear(): void;
}

/** Counts of values by upper bounds. */
export interface Histogram {
  observe(labels: string, value: number): void;
}

/** All families of figures. A name is given out once. */
export interface Registry {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** A counter that something else counts, and that is read before each answer. */
  countedElsewhere(name: string, help: string): Gauge;
  /** @param bounds Upper bounds, ascending, without infinity. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Has work done before each answer, such as setting gauges. What it throws is left to it. */
  beforeRender(work: () => void | Promise<void>): void;
  render(): Promise<string>;
}

/** Upper bounds for durations of requests and calls, in seconds. */
export const durationBounds: readonly number[] = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
];

/** Writes labels, in the order given; the result stands between braces. */
export function labels(values: Readonly<Record<string, string>>): string {
  return Object.entries(values).map(([name, value]) => `${name}="${escaped(value)}"`).join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  lines(): Iterable<string>;
}

/** Makes a registry without families. */
export function createRegistry(): Registry {
  const families = new Map<string, Family>();
  const before: (() => void | Promise<void>)[] = [];
  const register = (family: Family) => {
    if (families.has(family.name)) throw new Error(`The metric ${family.name} exists already`);
    families.set(family.name, family);
  };
  const plain = (name: string, type: "counter" | "gauge", help: string) => {
    const values = new Map<string, number>();
    register({ name, type, help, lines: () => linesOf(name, values) });
    return values;
  };
  const settable = (values: Map<string, number>): Gauge => ({
    set: (labels, value) => void values.set(labels, value),
    clear: () => values.clear(),
  });
  return {
    counter(name, help) {
      const values = plain(name, "counter", help);
      return {
        add: (labels, more = 1) => void values.set(labels, (values.get(labels) ?? 0) + more),
      };
    },
    gauge: (name, help) => settable(plain(name, "gauge", help)),
    countedElsewhere: (name, help) => settable(plain(name, "counter", help)),
    histogram(name, help, bounds) {
      const { observe, lines } = createBuckets(name, bounds);
      register({ name, type: "histogram", help, lines });
      return { observe };
    },
    beforeRender: (work) => void before.push(work),
    async render() {
      await Promise.all(before.map((work) => work()));
      const text = [...families.values()].flatMap(({ name, type, help, lines }) => [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...lines(),
      ]);
      return `${text.join("\n")}\n`;
    },
  };
}

/** Counts of one histogram for one set of labels. */
interface Buckets {
  /** How many were at most as great as each bound. */
  readonly within: number[];
  count: number;
  sum: number;
}

function createBuckets(name: string, bounds: readonly number[]) {
  const all = new Map<string, Buckets>();
  return {
    observe(labels: string, value: number) {
      const own = all.get(labels) ?? { within: bounds.map(() => 0), count: 0, sum: 0 };
      all.set(labels, own);
      own.count++;
      own.sum += value;
      // From the greatest on, for each bound holds what the lesser ones hold.
      for (let at = bounds.length - 1; at >= 0 && value <= (bounds[at] ?? 0); at--) {
        own.within[at] = (own.within[at] ?? 0) + 1;
      }
    },
    *lines() {
      for (const [labels, { within, count, sum }] of all) {
        const and = labels === "" ? "" : `${labels},`;
        for (const [at, bound] of bounds.entries()) {
          yield `${name}_bucket{${and}le="${bound}"} ${within[at]}`;
        }
        yield `${name}_bucket{${and}le="+Inf"} ${count}`;
        // Sums of decimal fractions have a tail that means nothing.
        yield line(`${name}_sum`, labels, Math.round(sum * 1e6) / 1e6);
        yield line(`${name}_count`, labels, count);
      }
    },
  };
}

function* linesOf(name: string, values: ReadonlyMap<string, number>): Generator<string> {
  for (const [labels, value] of values) yield line(name, labels, value);
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${value}`;
}
