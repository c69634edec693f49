"""PPO on CartPole-v1 with Stable-Baselines3's defaults: the peer of bench/nn_cartpole.ts.

Needs `pip install torch==2.13.0 stable-baselines3 gymnasium`.
"""

import argparse
import json
import time

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=102400)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=1, help="1 is the fastest for a network this small")
options = parser.parse_args()

torch.set_num_threads(options.threads)
model = PPO("MlpPolicy", "CartPole-v1", seed=options.seed, device="cpu")
model.learn(64)  # first calls
model = PPO("MlpPolicy", "CartPole-v1", seed=options.seed, device="cpu")
start = time.perf_counter()
model.learn(options.steps)
seconds = time.perf_counter() - start
mean_return, _ = evaluate_policy(model, model.get_env(), n_eval_episodes=20)
print(json.dumps({
    "steps": model.num_timesteps,
    "stepsPerSecond": round(model.num_timesteps / seconds),
    "meanReturn": float(mean_return),
}))
