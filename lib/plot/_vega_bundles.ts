import * as vega from "vega";
import * as vegaLite from "vega-lite";

/** The interactive renderer, as text to be put into `<script>` elements. */
export interface VegaBundles {
  /** Scripts in the order in which the page must run them. */
  readonly scripts: readonly string[];
  /** Names, versions and licences, for a comment. */
  readonly notice: string;
}

/**
 * Reads the browser bundles that `vega`, `vega-lite` and `vega-embed` ship beside their modules.
 * Their export maps do not name the bundles, so each is found next to the module that is named.
 */
export async function loadVegaBundles(): Promise<VegaBundles> {
  // Imported here, not above: nothing but a report needs it, and importing puts it on the disk.
  const vegaEmbed = await import("vega-embed");
  const packages = [
    { name: "vega", version: vega.version, module: import.meta.resolve("vega") },
    { name: "vega-lite", version: vegaLite.version, module: import.meta.resolve("vega-lite") },
    { name: "vega-embed", version: vegaEmbed.version, module: import.meta.resolve("vega-embed") },
  ];
  const scripts: string[] = [];
  const notices: string[] = [];
  for (const { name, version, module } of packages) {
    scripts.push(scriptText(await Deno.readTextFile(new URL(`./${name}.min.js`, module))));
    const licence = await Deno.readTextFile(new URL("../LICENSE", module));
    notices.push(`${name} ${version}\n\n${licence.trim()}`);
  }
  return { scripts, notice: notices.join("\n\n").replace(/-(?=-)/g, "- ") };
}

/**
 * Makes JavaScript safe inside a `<script>` element. In strings and regular expressions, the only
 * places where these sequences occur in code, the backslash changes nothing.
 */
function scriptText(source: string): string {
  return source
    .replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "")
    .replace(/<\/(?=script)/gi, "<\\/")
    .replaceAll("<!--", "<\\!--");
}
