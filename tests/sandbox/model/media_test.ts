import { deepEqual, equal } from "node:assert/strict";
import { imageSize } from "../../../sandbox/model/image_size.ts";
import { dataUrl, described } from "../../../sandbox/model/media.ts";

/** The headers of images that are 300 pixels wide and 2 high, made by hand from their formats. */
const headers: Readonly<Record<string, string>> = {
  png: "89504e470d0a1a0a0000000d494844520000012c00000002",
  gif: "4749463839612c010200",
  jpeg: "ffd8ffe000040000ffc400040000ffc0001108" + "0002012c03",
  webp: "524946460000000057454250565038580a00000000000000" + "2b0100" + "010000",
  "lossless webp": "52494646000000005745425056503" + "84c000000002f" + "2b410000",
  "lossy webp": "524946460000000057454250" + "56503820" + "00000000" + "300100" + "9d012a" +
    "2c010200",
};

for (const [name, header] of Object.entries(headers)) {
  Deno.test(`The size of an image is read from its header: ${name}`, () => {
    const bytes = Uint8Array.fromHex(header);
    deepEqual(imageSize(bytes), { width: 300, height: 2 });
    equal(imageSize(bytes.subarray(0, bytes.length - 3)), undefined);
  });
}

Deno.test("An attachment is described by its bytes, not by its label", () => {
  const data = Uint8Array.fromHex(headers["png"] ?? "").toBase64();
  equal(described({ kind: "image", type: "image/gif", data }), "image image/png of 300x2 pixels");
  const text = { kind: "document", type: "text/plain", data: btoa("hello") } as const;
  equal(described(text), "document text/plain of 5 bytes");
  deepEqual(dataUrl(`data:image/png;name=a;base64,${data}`), { type: "image/png", data });
  equal(dataUrl("https://example.com/a.png"), undefined);
});
