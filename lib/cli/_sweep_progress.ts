// deno-lint-ignore-file no-console
/** What a sweep shows while it runs: bars on a terminal, lines elsewhere. */
import { MultiBar, type SingleBar } from "cli-progress";
import process from "node:process";
import type { SweepEvent, Trial, TrialProgress } from "../sweep/mod.ts";

/** Hears a sweep's events. */
export interface ProgressDisplay {
  /** Shows an event. */
  show(event: SweepEvent): void;
  /** Gives the terminal back. */
  stop(): void;
}

/** Bars if standard error is a terminal, otherwise one line for every event worth one. */
export function createProgressDisplay(): ProgressDisplay {
  return Deno.stderr.isTerminal() ? new ProgressBars() : new ProgressLines();
}

/** Updates between two lines of one trial. */
const LINE_SHARE = 0.25;

class ProgressLines implements ProgressDisplay {
  #finished = 0;
  #total = 0;
  readonly #nextShare = new Map<string, number>();

  show(event: SweepEvent): void {
    switch (event.kind) {
      case "begun":
        this.#finished = event.finishedCount;
        this.#total = event.finishedCount + event.pending.length;
        this.#print(`${this.#total} trials, ${event.finishedCount} already finished`);
        break;
      case "started":
        this.#nextShare.set(event.trial.id, LINE_SHARE);
        if (event.attempt > 1) this.#print(`${nameOf(event.trial)}: trying again`);
        break;
      case "progress": {
        const { phase, done, total } = event.progress;
        if (phase !== "training" || done / total < this.#nextShare.get(event.trial.id)!) break;
        this.#nextShare.set(event.trial.id, done / total + LINE_SHARE);
        this.#print(`${nameOf(event.trial)}: ${progressText(event.progress)}`);
        break;
      }
      case "finished":
        this.#finished++;
        this.#print(`${nameOf(event.trial)}: done in ${event.seconds.toFixed(1)} s`);
        break;
      case "failed":
        this.#print(`${nameOf(event.trial)}: ${event.error.name}: ${event.error.message}`);
        break;
      case "merging":
        this.#print("writing tables, charts and the report");
    }
  }

  stop(): void {}

  #print(text: string): void {
    console.error(`[${this.#finished}/${this.#total}] ${text}`);
  }
}

class ProgressBars implements ProgressDisplay {
  readonly #bars = new MultiBar({
    format: "{bar} {value}/{total} {eta_formatted} {name} {note}",
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    hideCursor: true,
    clearOnComplete: false,
    stopOnComplete: false,
    linewrap: false,
    etaBuffer: 20,
    autopadding: true,
    stream: process.stderr,
  });
  #overall: SingleBar | undefined;
  readonly #trials = new Map<string, SingleBar>();

  show(event: SweepEvent): void {
    switch (event.kind) {
      case "begun": {
        const total = event.finishedCount + event.pending.length;
        const format = "{bar} {value}/{total} {name} {note}"; // trials differ too much for an ETA
        const payload = { name: "trials", note: "" };
        this.#overall = this.#bars.create(total, event.finishedCount, payload, { format });
        break;
      }
      case "started": {
        this.#remove(event.trial);
        const bar = this.#bars.create(1, 0, { name: nameOf(event.trial), note: "starting" });
        this.#trials.set(event.trial.id, bar);
        break;
      }
      case "progress": {
        const bar = this.#trials.get(event.trial.id);
        bar?.setTotal(event.progress.total);
        bar?.update(event.progress.done, { note: progressText(event.progress) });
        break;
      }
      case "finished":
        this.#remove(event.trial);
        this.#overall?.increment();
        break;
      case "failed":
        this.#bars.log(`${nameOf(event.trial)}: ${event.error.name}: ${event.error.message}\n`);
        if (event.final) this.#remove(event.trial);
        break;
      case "merging":
        this.#overall?.update({ note: "writing tables, charts and the report" });
    }
  }

  stop(): void {
    this.#bars.stop();
  }

  #remove(trial: Trial): void {
    const bar = this.#trials.get(trial.id);
    if (bar !== undefined) this.#bars.remove(bar);
    this.#trials.delete(trial.id);
  }
}

function nameOf(trial: Trial): string {
  return trial.seed === null ? trial.label : `${trial.label} seed ${trial.seed}`;
}

function progressText({ phase, done, total, latencySeconds }: TrialProgress): string {
  const what = { training: "update", validation: "validation at update", evaluation: "run" }[phase];
  const latency = latencySeconds === null ? "" : `, mean E2E ${latencySeconds.toFixed(2)} s`;
  return `${what} ${done}/${total}${latency}`;
}
