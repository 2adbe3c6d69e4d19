"""Adds up one tensor of every rank, over whatever backend the job asked for."""

import argparse
import os

import torch
import torch.distributed as dist

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=1)
parser.add_argument("--init-method", default="env://")
parser.add_argument("--rank", type=int, default=int(os.environ["RANK"]))
args = parser.parse_args()

dist.init_process_group(
    backend=os.environ["AZ_BATCHAI_PYTORCH_BACKEND"],
    init_method=args.init_method,
    rank=args.rank,
    world_size=int(os.environ["WORLD_SIZE"]),
)
for round_number in range(args.rounds):
    value = torch.tensor([float(args.rank + 1)])
    dist.all_reduce(value)
    print(f"rank {args.rank} round {round_number}: sum {value.item():g}", flush=True)
dist.destroy_process_group()
