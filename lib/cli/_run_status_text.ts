/** A run's status for people. */
import { readUpdatesInWords } from "./_run_readings.ts";
import type { RunStatus, RunWarning, UpdateRow } from "./_run_status.ts";
import { textTable } from "./_text_table.ts";

const BAR_CHARACTERS = 30;

/** Updates that verbose output lists. */
const RECENT_UPDATES = 5;

const WARNING_TEXTS: Readonly<Record<RunWarning["kind"], string>> = {
  "action_collapse": "nearly all requests go one way",
  "reward_staleness": "rewards hardly differ",
  "vanishing_gradient": "the gradient is next to zero",
  "tail_latency": "the 99th percentile of the latency is above its threshold",
};

/** One line: for logs, and where a terminal cannot be redrawn. */
export function statusLine(status: RunStatus): string {
  const last = status.updates.at(-1);
  return [
    `${status.command} ${status.status}`,
    ...countsOf(status),
    ...(last === undefined ? [] : [
      `mean E2E ${secondsText(last.latency_mean_seconds)}`,
      `entropy ${last.entropy.toFixed(3)}`,
      `KL ${last.approx_kl.toFixed(4)}`,
    ]),
  ].join("  ");
}

/** Some lines: bar, pace, the last update in plain words, warnings. */
export function statusText(status: RunStatus, isVerbose: boolean): string {
  const { folder, command, error, done, total, elapsedSeconds, updates } = status;
  const filled = total === 0 ? 0 : Math.floor(BAR_CHARACTERS * done / total);
  const lines = [
    `${command} ${folder}: ${status.status}`,
    `${"█".repeat(filled)}${"░".repeat(BAR_CHARACTERS - filled)}  ${countsOf(status).join("  ")}`,
    `elapsed ${durationText(elapsedSeconds)}`,
  ];
  if (error !== null) lines.push(`error: ${error}`);
  const readings = readUpdatesInWords(updates);
  if (readings.length > 0) {
    const what = command === "sweep" ? ` of the last trial (${updates.at(-1)!.policy})` : "";
    lines.push(textTable(
      [`update ${updates.at(-1)!.update}${what}`, "value", "reading", "trend"],
      readings.map(({ name, value, meaning, trend }) => [name, numberText(value), meaning, trend]),
    ));
  }
  if (isVerbose && updates.length > 0) lines.push(recentTable(updates.slice(-RECENT_UPDATES)));
  return [...lines, ...warningLines(status)].join("\n");
}

/** The last updates, a row each. */
function recentTable(updates: readonly UpdateRow[]): string {
  return textTable(
    ["update", "mean E2E", "reward", "policy loss", "value loss", "entropy", "KL", "clipped"],
    updates.map((row) => [
      String(row.update),
      secondsText(row.latency_mean_seconds),
      numberText(row.reward_mean),
      numberText(row.policy_loss),
      numberText(row.value_loss),
      numberText(row.entropy),
      numberText(row.approx_kl),
      numberText(row.clip_fraction),
    ]),
  );
}

/** Each kind of warning once: how often and when last. */
function warningLines({ warnings }: RunStatus): string[] {
  return [...Map.groupBy(warnings, ({ kind }) => kind)].map(([kind, own]) =>
    `warning: ${WARNING_TEXTS[kind]} (${own.length} ${
      own.length === 1 ? "update" : "updates"
    }, last ${own.at(-1)!.update})`
  );
}

/** How far, how fast, how long. */
function countsOf(status: RunStatus): string[] {
  const { unit, done, total, decisions, decisionCount, decisionsPerSecond, etaSeconds } = status;
  const percent = total === 0 ? 100 : Math.floor(100 * done / total);
  return [
    `${percent} %`,
    `${unit} ${done}/${total}`,
    `decisions ${decisions}/${decisionCount}`,
    ...(decisionsPerSecond === null ? [] : [`${decisionsPerSecond.toFixed(0)}/s`]),
    ...(etaSeconds === null ? [] : [`left ${durationText(etaSeconds)}`]),
  ];
}

function secondsText(seconds: number | null): string {
  return seconds === null ? "none" : `${seconds.toFixed(2)} s`;
}

/** `1:02:03`. */
function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [hours, minutes, rest] = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60,
  ];
  return `${hours}:${String(minutes).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
}

function numberText(value: number | null): string {
  return value === null ? "none" : String(Number(value.toPrecision(4)));
}
