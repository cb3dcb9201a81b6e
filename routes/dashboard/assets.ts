/** The dashboard's style and script, served as files of their own: pages hold no code. */

/** Colours have a contrast of at least 4.5 to 1 on their background, light and dark. */
export const style = `
:root {
  color-scheme: light dark;
  --back: #ffffff; --text: #1b1f24; --quiet: #57606a; --line: #d0d7de; --raised: #f6f8fa;
  --link: #0a58ca; --good: #116329; --bad: #b3261e; --busy: #7a4d00; --mark: #0a58ca;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0d1117; --text: #e6edf3; --quiet: #a0aab5; --line: #3d444d; --raised: #161b22;
    --link: #79b8ff; --good: #56d364; --bad: #ff8f87; --busy: #e3b341; --mark: #79b8ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: .9375rem/1.5 system-ui, sans-serif; overflow-wrap: break-word; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; display: inline-block; padding: .5rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: center;
  padding: .4rem 1rem; background: var(--raised); border-bottom: 1px solid var(--line); }
.brand { margin: 0; font-weight: 700; }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .25rem 0; text-decoration: none; }
nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom: 2px solid var(--mark); }
.who { margin: 0 0 0 auto; display: flex; gap: .75rem; align-items: center; color: var(--quiet);
  min-width: 0; }
.who span { min-width: 0; overflow-wrap: anywhere; }
.who button { min-height: 2rem; padding: .15rem .6rem; color: var(--text); flex: none; }
main { padding: .5rem 1rem 2rem; max-width: 100rem; margin: 0 auto; }
.narrow { max-width: 26rem; }
.narrow form { display: grid; gap: 1rem; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
.above { margin: .5rem 0 -.5rem; }
.filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-bottom: 1rem; }
label { display: grid; gap: .2rem; font-weight: 600; min-width: 0; }
input, select, button { font: inherit; font-weight: normal; color: inherit; background: var(--back);
  max-width: 100%; border: 1px solid var(--quiet); border-radius: .35rem; padding: .3rem .6rem;
  min-height: 2.25rem; }
.filters select { max-width: 14rem; }
button { cursor: pointer; background: var(--raised); font-weight: 600; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; font-weight: normal;
  border-bottom: 1px solid var(--line); }
tr > :first-child { padding-left: 0; } tr > :last-child { padding-right: 0; }
thead th { font-weight: 600; color: var(--quiet); white-space: nowrap; }
tbody th { font-weight: 600; }
tbody tr:hover { background: var(--raised); }
time, .state, .short { white-space: nowrap; }
.name { overflow-wrap: anywhere; min-width: 11rem; }
.reason { overflow-wrap: anywhere; min-width: 12rem; max-width: 34rem; }
.part { overflow-wrap: anywhere; min-width: 7rem; }
.part:empty, .reason:empty { min-width: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.reason span { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3;
  overflow: hidden; }
.quiet { color: var(--quiet); }
.bad { color: var(--bad); }
.good { color: var(--good); }
.notice { padding: .6rem .75rem; background: var(--raised); border-left: 4px solid var(--mark);
  max-width: 60rem; }
.notice.bad { border-color: var(--bad); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.state { font-weight: 600; padding: .05rem .5rem; border: 1px solid; border-radius: 1rem;
  font-size: .85em; }
.state.busy { color: var(--busy); } .state.good { color: var(--good); }
.state.bad { color: var(--bad); } .state.quiet { color: var(--quiet); }
.progress { display: flex; flex-wrap: wrap; min-width: 9.5rem; gap: 0 .5rem; align-items: center;
  font-variant-numeric: tabular-nums; }
.progress span { white-space: nowrap; }
progress { width: 4rem; height: .6rem; accent-color: var(--mark); }
.facts { margin: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr));
  gap: 0 2rem; }
.facts > div { padding: .35rem 0; border-bottom: 1px solid var(--line); }
.facts > .long { grid-column: 1 / -1; }
dt { color: var(--quiet); font-size: .85em; }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: 0 0 1rem; }
.actions p { margin: 0; }
pre { margin: 0; padding: .75rem; background: var(--raised); border: 1px solid var(--line);
  overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .85rem; }
code { font-family: ui-monospace, monospace; font-size: .95em; }
.chart { margin: 0 0 1.5rem; }
.chart svg { display: block; width: 100%; height: 10rem; border-bottom: 1px solid var(--quiet); }
.chart rect { fill: var(--mark); }
.chart p { display: flex; justify-content: space-between; margin: 0; color: var(--quiet);
  font-size: .85em; }
@media (max-width: 48rem) {
  header { padding: .4rem .75rem; }
  nav { order: 3; width: 100%; font-size: .9rem; }
  nav ul { gap: 0 .65rem; }
  .who { flex: 1; justify-content: flex-end; text-align: right; font-size: .85rem; }
  .filters { gap: .5rem; }
  .filters label { flex: 1 1 40%; }
  .filters input, .filters select { width: 100%; max-width: 100%; min-width: 0; }
  main { padding: .25rem .75rem 2rem; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 0 1rem; }
}
@media (max-width: 76rem) {
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .cards, .cards tbody, .cards th, .cards td { display: block; }
  .cards tr { display: flex; flex-wrap: wrap; gap: .1rem 1rem; padding: .5rem 0;
    border-bottom: 1px solid var(--line); }
  .cards th, .cards td { border: 0; padding: 0; text-align: left; min-width: 0; }
  .cards th, .cards .reason { flex-basis: 100%; }
  .cards td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); }
  .cards .progress { display: inline-flex; min-width: 0; }
  .cards td:empty { display: none; }
}
@media (prefers-reduced-motion: reduce) { * { scroll-behavior: auto; } }
`;

/**
 * Keeps parts of a page up to date that name a stream of server-sent events. Without scripts the page
 * is as good as when it was loaded.
 */
export const script = `"use strict";
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("update", ({ data }) => {
    const focused = document.activeElement;
    const nameOf = (one) => one.getAttribute("href") ?? one.getAttribute("data-name");
    const name = part.contains(focused) ? nameOf(focused) : null;
    part.innerHTML = data;
    if (name === null) return;
    for (const one of part.querySelectorAll("a, button")) {
      if (nameOf(one) === name) { one.focus({ preventScroll: true }); break; }
    }
  });
  source.addEventListener("end", () => source.close());
  addEventListener("pagehide", () => source.close());
}
`;
