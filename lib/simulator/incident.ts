/**
 * What may happen to a replica while it serves.
 *
 * @module
 */

/** A replica computes `factor` times slower from now on (a factor below 1 makes it faster). */
export interface SlowdownIncident {
  /** Discriminator. */
  readonly kind: "slowdown";
  /** When, in seconds. */
  readonly atSeconds: number;
  /** Which replica. */
  readonly replica: number;
  /** Duration of a stage, relative to the timer's; stages already begun are not affected. */
  readonly factor: number;
}

/** A change of a replica's availability. */
export interface AvailabilityIncident {
  /**
   * `fail`: the replica loses all it holds and cannot be chosen; its requests are routed anew and
   * have to recompute. `drain`: it finishes what it has and cannot be chosen. `recover`: it can be
   * chosen again, at full speed.
   */
  readonly kind: "fail" | "drain" | "recover";
  /** When, in seconds. */
  readonly atSeconds: number;
  /** Which replica. */
  readonly replica: number;
}

/** One entry of a failure scenario. At equal times incidents come before arrivals. */
export type ReplicaIncident = SlowdownIncident | AvailabilityIncident;

/**
 * Checks a scenario and puts it in order of time; entries of equal time keep their order.
 *
 * @throws {RangeError} When a time, replica or factor is out of range.
 */
export function orderIncidents(
  incidents: readonly ReplicaIncident[],
  replicaCount: number,
): ReplicaIncident[] {
  incidents.forEach((incident, i) => {
    const { atSeconds, replica } = incident;
    if (!(atSeconds >= 0 && atSeconds < Infinity)) {
      refuse(`incidents[${i}].atSeconds`, "finite and >= 0", atSeconds);
    }
    if (!Number.isInteger(replica) || replica < 0 || replica >= replicaCount) {
      refuse(`incidents[${i}].replica`, `an integer in [0, ${replicaCount})`, replica);
    }
    if (incident.kind === "slowdown" && !(incident.factor > 0 && incident.factor < Infinity)) {
      refuse(`incidents[${i}].factor`, "finite and > 0", incident.factor);
    }
  });
  return incidents.toSorted((a, b) => a.atSeconds - b.atSeconds);
}

function refuse(field: string, allowed: string, value: number): never {
  throw new RangeError(
    `Cannot simulate: ${field} must be ${allowed}, current value is ${value}`,
  );
}
