import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { create, type Font } from "fontkitten";
// A bare machine has no fonts: they come from a package. Deno fetches packages that the module graph
// names, so one module of this one is imported, and the font files beside it are then on the disk.
import inter from "@expo-google-fonts/inter/metadata.json" with { type: "json" };

/** Weight from which on Vega's text counts as bold. */
const BOLD_FROM = 600;

/** Name of the family, as charts and the PNG renderer refer to it. */
export const FONT_NAME: string = inter.family;

/** Paths of the font files: regular and semi-bold. */
export function fontFiles(): { readonly regular: string; readonly bold: string } {
  const regular = import.meta.resolve("@expo-google-fonts/inter/400Regular/Inter_400Regular.ttf");
  const bold = import.meta.resolve("@expo-google-fonts/inter/600SemiBold/Inter_600SemiBold.ttf");
  return { regular: fileURLToPath(regular), bold: fileURLToPath(bold) };
}

/** What Vega says about a piece of text. */
export interface TextItem {
  /** Size in pixels. */
  readonly fontSize?: number;
  /** CSS weight. */
  readonly fontWeight?: number | string;
}

/** Width of text in pixels: the sum of the glyphs' advances, as the renderers draw it. */
export type MeasureText = (item: TextItem, text: unknown) => number;

/** Loads the fonts and returns a function that measures with them. */
export async function loadTextMeasure(): Promise<MeasureText> {
  const files = fontFiles();
  const [regular, bold] = await Promise.all([
    loadAdvances(files.regular),
    loadAdvances(files.bold),
  ]);
  return (item, text) => {
    const weight = item.fontWeight === "bold" ? 700 : Number(item.fontWeight ?? 400);
    const advanceOf = weight >= BOLD_FROM ? bold : regular;
    let ems = 0;
    for (const character of String(text ?? "")) ems += advanceOf(character.codePointAt(0)!);
    return ems * (item.fontSize ?? 11);
  };
}

/** Advance of a code point in ems, remembered. */
async function loadAdvances(path: string): Promise<(codePoint: number) => number> {
  const font = create(Buffer.from(await Deno.readFile(path))) as Font;
  const advances = new Map<number, number>();
  return (codePoint) => {
    let advance = advances.get(codePoint);
    if (advance === undefined) {
      advance = font.glyphForCodePoint(codePoint).advanceWidth / font.unitsPerEm;
      advances.set(codePoint, advance);
    }
    return advance;
  };
}
