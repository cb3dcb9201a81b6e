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
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100vw; }
.skip:focus { position: static; display: inline-block; padding: .5rem; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: center;
  padding: .5rem 1rem; background: var(--raised); border-bottom: 1px solid var(--line); }
.brand { margin: 0; font-weight: 700; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .25rem 0; text-decoration: none; }
nav a[aria-current] { color: var(--text); font-weight: 600; border-bottom: 2px solid var(--mark); }
.who { margin: 0 0 0 auto; display: flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  color: var(--quiet); }
main { padding: 1rem; max-width: 90rem; margin: 0 auto; }
.narrow { max-width: 26rem; }
.narrow form { display: grid; gap: 1rem; }
h1 { font-size: 1.5rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.2rem; margin: 1.5rem 0 .5rem; }
.filters { display: flex; flex-wrap: wrap; gap: .75rem; align-items: end; margin-bottom: 1rem; }
label { display: grid; gap: .25rem; font-weight: 600; min-width: 0; }
input, select, button { font: inherit; color: inherit; background: var(--back); max-width: 100%;
  border: 1px solid var(--quiet); border-radius: .35rem; padding: .4rem .6rem; min-height: 2.5rem; }
button { cursor: pointer; background: var(--raised); font-weight: 600; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; font-weight: normal;
  border-bottom: 1px solid var(--line); }
thead th { font-weight: 600; color: var(--quiet); }
tbody th { font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.reason { max-width: 28rem; }
.quiet { color: var(--quiet); }
.bad { color: var(--bad); }
.good { color: var(--good); }
.notice { padding: .75rem; background: var(--raised); border-left: 4px solid var(--mark); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.state { font-weight: 600; }
.state.busy { color: var(--busy); } .state.good { color: var(--good); }
.state.bad { color: var(--bad); } .state.quiet { color: var(--quiet); }
.progress { display: flex; flex-wrap: wrap; gap: .25rem .5rem; align-items: center; }
progress { width: 6rem; accent-color: var(--mark); }
.facts { margin: 0; }
.facts > div { display: grid; grid-template-columns: 9rem 1fr; gap: .25rem 1rem; padding: .3rem 0;
  border-bottom: 1px solid var(--line); }
dt { color: var(--quiet); }
dd { margin: 0; min-width: 0; }
pre { margin: 0; padding: .75rem; background: var(--raised); border: 1px solid var(--line);
  overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; }
.chart { display: block; width: 100%; height: auto; max-height: 16rem; }
.chart rect { fill: var(--mark); } .chart text { fill: var(--quiet); font-size: 11px; }
@media (max-width: 48rem) {
  .who { margin-left: 0; }
  .facts > div { grid-template-columns: 1fr; gap: 0; }
  .cards thead { position: absolute; width: 1px; height: 1px; overflow: hidden;
    clip-path: inset(50%); }
  .cards, .cards tbody, .cards tr, .cards th, .cards td { display: block; }
  .cards tr { padding: .5rem 0; border-bottom: 2px solid var(--line); }
  .cards th, .cards td { border: 0; padding: .15rem 0; text-align: left; }
  .cards td[data-label]::before { content: attr(data-label) ": "; color: var(--quiet); }
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
