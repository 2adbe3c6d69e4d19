"""Averages the rank numbers over all ranks by Horovod."""

import horovod.torch as hvd
import torch

hvd.init()
if torch.cuda.is_available():
    torch.cuda.set_device(hvd.local_rank())
average = hvd.allreduce(torch.tensor([float(hvd.rank())]), name="rank")
print(f"rank {hvd.rank()} of {hvd.size()}: average {average.item():g}", flush=True)
