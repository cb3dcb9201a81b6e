/** The events of a job: what was reported of it to whom, and what waits. */
import type { DoneEvent, JobEvents, WaitingEvent } from "../../catalog/outbox.ts";
import { Ago, count, Reason, State } from "./format.tsx";
import { Notice } from "./layout.tsx";

/** Rows that are shown; a job has a few events for each receiver. */
const mostRows = 100;

/** The section of a job's events; nothing where it has none. */
export function EventsOfJob(
  { found: { events, isWhole }, now }: { readonly found: JobEvents; readonly now: number },
) {
  if (events.length === 0 && isWhole) return null;
  const hidden = events.length - mostRows;
  return (
    <section aria-labelledby="events">
      <h2 id="events">Events</h2>
      <table class="cards">
        <caption class="hidden">Events of the job as they were when the page was loaded</caption>
        <thead>
          <tr>
            <th scope="col">Event</th>
            <th scope="col">When</th>
            <th scope="col">Receiver</th>
            <th scope="col">Delivery</th>
            <th scope="col" class="number">Tries</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>
          {events.slice(0, mostRows).map(({ entry }) => <EventRow entry={entry} now={now} />)}
        </tbody>
      </table>
      {hidden > 0 && <Notice>{`${count(hidden)} further events are not shown.`}</Notice>}
      {!isWhole && (
        <Notice>
          Many events of other jobs were sent since: those of this job that were delivered later are
          not shown. The command "batchway events list" shows all.
        </Notice>
      )}
    </section>
  );
}

function EventRow(
  { entry, now }: { readonly entry: WaitingEvent | DoneEvent; readonly now: number },
) {
  const { event: { status, modifiedAt }, target, tries, error } = entry;
  return (
    <tr>
      <th scope="row" data-label="Event">
        <State status={status} />
      </th>
      <td data-label="When">
        <Ago at={modifiedAt} now={now} />
      </td>
      <td data-label="Receiver" class="part">{target}</td>
      <td data-label="Delivery">
        <Delivery entry={entry} now={now} />
      </td>
      <td data-label="Tries" class="number">{count(tries)}</td>
      <Reason text={error} />
    </tr>
  );
}

function Delivery(
  { entry, now }: { readonly entry: WaitingEvent | DoneEvent; readonly now: number },
) {
  if (!("outcome" in entry)) {
    if (entry.nextAt <= now) return <span>waits</span>;
    return (
      <span>
        waits, tried again <Ago at={entry.nextAt} now={now} />
      </span>
    );
  }
  return entry.outcome === "delivered"
    ? (
      <span class="good">
        delivered <Ago at={entry.at} now={now} />
      </span>
    )
    : (
      <span class="bad">
        given up <Ago at={entry.at} now={now} />
      </span>
    );
}
