"""The document's network in PyTorch, timed on the CPU: the peer of bench/nn.ts.

Reads one JSON request a line from standard input, {"case": "train"|"act", "rows": N, "steps": T,
"repeats": R, "threads": P, "clock": "wall"|"cpu"}, and answers {"milliseconds": [R times]}: one
process, so that the two sides can take turns. Needs `pip install torch==2.13.0 numpy`.
"""

import json
import sys
import time

import torch
from torch import nn

STATE, HIDDEN, PROJECTION, ACTIONS, CLIP = 200, 128, 256, 4, 0.15


def hidden_layers(count):
    layers = []
    for _ in range(count):
        layers += [nn.Linear(HIDDEN, HIDDEN), nn.LayerNorm(HIDDEN), nn.ReLU()]
    return nn.Sequential(*layers)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.projection = nn.Sequential(
            nn.LayerNorm(STATE), nn.Linear(STATE, PROJECTION), nn.GELU(), nn.Linear(PROJECTION, HIDDEN)
        )
        self.shared = hidden_layers(3)
        self.gru = nn.GRU(HIDDEN, HIDDEN, num_layers=2)
        self.actor = nn.Sequential(
            hidden_layers(2), nn.Linear(HIDDEN, ACTIONS), nn.LayerNorm(ACTIONS), nn.Tanh()
        )
        self.critic = hidden_layers(2)
        self.critic_gru = nn.GRU(HIDDEN, HIDDEN)
        self.value = nn.Linear(HIDDEN, 1)

    def forward(self, x, hidden, critic_hidden):
        memory, hidden = self.gru(self.shared(self.projection(x)), hidden)
        critic_memory, critic_hidden = self.critic_gru(self.critic(memory), critic_hidden)
        return self.actor(memory), self.value(critic_memory).squeeze(-1), hidden, critic_hidden


def train_step(steps, rows):
    """One minibatch: PPO's objective, backward, clipping of the gradient norm, Adam."""
    model = ActorCritic()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6, eps=1e-5, fused=True)
    x = torch.randn(steps, rows, STATE)
    hidden, critic_hidden = torch.zeros(2, rows, HIDDEN), torch.zeros(1, rows, HIDDEN)
    actions = torch.randint(ACTIONS, (steps, rows))
    advantages, returns = torch.randn(steps, rows), torch.randn(steps, rows)
    old = torch.full((steps, rows), -1.3863)
    old_all = torch.full((steps, rows, ACTIONS), -1.3863)

    def step():
        logits, values, _, _ = model(x, hidden, critic_hidden)
        log_all = torch.log_softmax(logits, -1)
        log_probs = log_all.gather(-1, actions.unsqueeze(-1)).squeeze(-1)
        entropy = -(log_all.exp() * log_all).sum(-1).mean()
        kl = (old_all.exp() * (old_all - log_all)).sum(-1).mean()
        normal = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        ratio = (log_probs - old).exp()
        surrogate = torch.min(ratio * normal, ratio.clamp(1 - CLIP, 1 + CLIP) * normal)
        value_loss = 0.5 * (values - returns).square().mean()
        loss = -surrogate.mean() + 0.5 * value_loss + 0.2 * kl - 0.25 * entropy
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        loss.item()

    return step


def act(rows):
    """One decision for each of `rows` environments: forward, categorical sample, numpy out."""
    model = ActorCritic().eval()
    x = torch.randn(1, rows, STATE).numpy()
    state = [torch.zeros(2, rows, HIDDEN), torch.zeros(1, rows, HIDDEN)]

    def step():
        with torch.inference_mode():
            logits, values, state[0], state[1] = model(torch.from_numpy(x), *state)
            log_all = torch.log_softmax(logits[0], -1)
            actions = torch.multinomial(log_all.exp(), 1)
            return actions.numpy(), log_all.gather(-1, actions).numpy(), values.numpy()

    return step


cache = {}
for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    key = (request["case"], request["steps"], request["rows"])
    if key not in cache:
        torch.manual_seed(1)
        made = train_step(request["steps"], request["rows"]) if request["case"] == "train" else act(request["rows"])
        cache[key] = made
    step = cache[key]
    clock = time.process_time if request["clock"] == "cpu" else time.perf_counter
    times = []
    for _ in range(request["repeats"]):
        start = clock()
        step()
        times.append((clock() - start) * 1e3)
    print(json.dumps({"milliseconds": times}), flush=True)
