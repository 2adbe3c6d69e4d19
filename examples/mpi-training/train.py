"""Data-parallel training over MPI: a small neural network learns to tell two interleaved spirals apart.

Every rank holds a share of the data, computes the gradient on it, and sums it with the others' in one allreduce per
step. Rank 0 prints the loss of each epoch, then trains the same network alone on all the data and compares: the ranks
must have done exactly one machine's work.
"""

import sys
import time

import numpy as np
from mpi4py import MPI

EPOCHS = 20
STEPS_PER_EPOCH = 25
LEARNING_RATE = 1.0
POINTS = 1200
HIDDEN = 32


def spirals():
    """Two interleaved spirals with a little noise: points (POINTS, 2), labels (POINTS,) of 0 and 1."""
    random = np.random.default_rng(7)
    turn = np.sqrt(random.random(POINTS)) * 1.5 * np.pi
    label = np.arange(POINTS) % 2
    angle = turn + label * np.pi
    points = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 4
    return points + random.normal(scale=0.03, size=points.shape), label.astype(float)


def first_weights():
    random = np.random.default_rng(11)
    shapes = [(2, HIDDEN), (HIDDEN,), (HIDDEN, HIDDEN), (HIDDEN,), (HIDDEN, 1), (1,)]
    return [random.normal(scale=1.0 / np.sqrt(shape[0]), size=shape) for shape in shapes]


def loss_and_gradient(weights, points, labels):
    """Summed (not mean) cross-entropy of these points, and its gradient, so that shares of the data simply add up."""
    w1, b1, w2, b2, w3, b3 = weights
    h1 = np.tanh(points @ w1 + b1)
    h2 = np.tanh(h1 @ w2 + b2)
    logits = (h2 @ w3 + b3)[:, 0]
    loss = np.sum(np.logaddexp(0, logits) - labels * logits)
    error = (1 / (1 + np.exp(-logits)) - labels)[:, None]
    back2 = (error @ w3.T) * (1 - h2**2)
    back1 = (back2 @ w2.T) * (1 - h1**2)
    gradient = [points.T @ back1, back1.sum(0), h1.T @ back2, back2.sum(0), h2.T @ error, error.sum(0)]
    return loss, gradient


def train(points, labels, add_up, report):
    """Gradient descent on the mean loss over all points. `add_up` sums an array over all who train together."""
    weights = first_weights()
    loss = float("nan")
    for epoch in range(1, EPOCHS + 1):
        for _ in range(STEPS_PER_EPOCH):
            own_loss, own_gradient = loss_and_gradient(weights, points, labels)
            flat = add_up(np.concatenate([[own_loss], *[part.ravel() for part in own_gradient]])) / POINTS
            loss, start = flat[0], 1
            for index, weight in enumerate(weights):
                part = flat[start : start + weight.size].reshape(weight.shape)
                weights[index] = weight - LEARNING_RATE * part
                start += weight.size
        report(epoch, loss)
    return weights, loss


def main():
    world = MPI.COMM_WORLD
    rank, size = world.Get_rank(), world.Get_size()
    points, labels = spirals()

    def add_up(values):
        total = np.empty_like(values)
        world.Allreduce(values, total, op=MPI.SUM)
        return total

    def report(epoch, loss):
        if rank == 0:
            print(f"epoch {epoch:2d}  loss {loss:.4f}", flush=True)

    if rank == 0:
        print(f"training on {size} ranks, {len(points[rank::size])} of {POINTS} points each", flush=True)
    started = time.monotonic()
    weights, loss = train(points[rank::size], labels[rank::size], add_up, report)
    seconds = time.monotonic() - started
    if rank != 0:
        return 0

    alone, _ = train(points, labels, lambda values: values, lambda epoch, value: None)
    difference = max(float(np.abs(ours - single).max()) for ours, single in zip(weights, alone))
    print(f"trained in {seconds:.1f} s; largest difference to a single process: {difference:.1e}", flush=True)
    if difference > 1e-6 or loss > 0.3:
        print("the result is wrong", flush=True)
        return 1
    print("the result is right", flush=True)
    return 0


sys.exit(main())
