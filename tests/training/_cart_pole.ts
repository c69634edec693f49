import type { Environment, StepResult } from "../../lib/training/mod.ts";
import type { Rng } from "../../lib/random/mod.ts";

const GRAVITY = 9.8;
const CART_MASS = 1;
const POLE_MASS = 0.1;
const HALF_POLE_LENGTH = 0.5;
const FORCE = 10;
const STEP_SECONDS = 0.02;
const ANGLE_LIMIT = 12 * Math.PI / 180;
const POSITION_LIMIT = 2.4;
const EPISODE_LIMIT = 500;

/**
 * CartPole-v1: balance a pole on a cart by pushing left (0) or right (1); reward 1 a step, ends when
 * the pole leans more than 12 degrees or the cart is 2.4 m off, cut off after 500 steps.
 * Observation: position, velocity, angle, angular velocity.
 *
 * Source: Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult
 * learning control problems" (1983); constants and Euler integration of Gymnasium's CartPole-v1.
 */
export function createCartPole(rng: Rng): Environment {
  let [position, velocity, angle, angularVelocity] = [0, 0, 0, 0];
  let stepCount = 0;
  return {
    observationSize: 4,
    actionCount: 2,
    reset(observation: Float32Array): void {
      [position, velocity, angle, angularVelocity] = [0, 0, 0, 0].map(() =>
        0.1 * rng.uniform() - 0.05
      ) as [number, number, number, number];
      stepCount = 0;
      observation.set([position, velocity, angle, angularVelocity]);
    },
    step(action: number, observation: Float32Array): StepResult {
      const force = action === 1 ? FORCE : -FORCE;
      const [sin, cos] = [Math.sin(angle), Math.cos(angle)];
      const mass = CART_MASS + POLE_MASS;
      const moment = POLE_MASS * HALF_POLE_LENGTH;
      const push = (force + moment * angularVelocity ** 2 * sin) / mass;
      const angularAcceleration = (GRAVITY * sin - cos * push) /
        (HALF_POLE_LENGTH * (4 / 3 - POLE_MASS * cos ** 2 / mass));
      const acceleration = push - moment * angularAcceleration * cos / mass;
      position += STEP_SECONDS * velocity;
      velocity += STEP_SECONDS * acceleration;
      angle += STEP_SECONDS * angularVelocity;
      angularVelocity += STEP_SECONDS * angularAcceleration;
      observation.set([position, velocity, angle, angularVelocity]);
      const terminated = Math.abs(position) > POSITION_LIMIT || Math.abs(angle) > ANGLE_LIMIT;
      return { reward: 1, terminated, truncated: ++stepCount >= EPISODE_LIMIT };
    },
  };
}
