"""Adds up the rank numbers over all ranks; then waits for the file argv[1], if one is given."""

import os
import sys
import time

from mpi4py import MPI

world = MPI.COMM_WORLD
total = world.allreduce(world.Get_rank() + 1, op=MPI.SUM)
print(
    f"rank {world.Get_rank()} of {world.Get_size()} on {os.environ['GPUMESH_NODE']}"
    f" at {MPI.Get_processor_name()} sum {total}",
    flush=True,
)
while len(sys.argv) > 1 and not os.path.exists(sys.argv[1]):
    time.sleep(0.05)
world.Barrier()
