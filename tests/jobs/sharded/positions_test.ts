import assert from "node:assert/strict";
import { type InputPosition, InputPositions } from "../../../jobs/sharded/positions.ts";

const at = (record: number, line = record): InputPosition => ({ record, line });

const rows: readonly [what: string, positions: readonly InputPosition[], isInARow: boolean][] = [
  ["none", [], true],
  ["one", [at(7)], true],
  ["on consecutive lines", [at(1), at(2), at(3)], true],
  ["behind blank lines at the beginning", [at(1, 5), at(2, 6)], true],
  ["with a blank line between them", [at(1), at(2, 3), at(3, 4)], false],
  ["with one between them that was refused", [at(1), at(3), at(4)], false],
  ["of two files", [at(1), at(2), at(3, 1), at(4, 2)], false],
];

for (const [what, all, isInARow] of rows) {
  Deno.test(`positions of records are given back as they were: ${what}`, () => {
    const positions = new InputPositions();
    for (const position of all) positions.add(position);
    assert.deepEqual([...positions], all);
    assert.equal(positions.count, all.length);
    assert.equal(positions.isInARow, isInARow);
    assert.deepEqual(positions.first, all[0] ?? at(0));
    assert.deepEqual(positions.last, all.at(-1) ?? at(0));
  });
}
