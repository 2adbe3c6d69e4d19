"""What torch.distributed does to meet, in sockets: rank 0 listens, all others come, the sum of the ranks goes back."""

import argparse
import os
import socket
import time

RECONNECT_SECONDS = 0.05
CONNECT_SECONDS_MAX = 30

parser = argparse.ArgumentParser()
parser.add_argument("--index", type=int, required=True)
parser.add_argument("--init", required=True)
args = parser.parse_args()

rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
address = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
assert args.index == rank
assert args.init == f"tcp://{address[0]}:{address[1]}"


def gather():
    """Rank 0's part: takes one number from each other rank and sends all of them the sum."""
    with socket.create_server(address) as server:
        peers = [server.accept()[0] for _ in range(size - 1)]
    total = rank + sum(int(peer.recv(16)) for peer in peers)
    for peer in peers:
        peer.sendall(str(total).encode())
        peer.close()
    return total


def contribute():
    """Any other rank's part. Rank 0 may not listen yet."""
    give_up_at = time.monotonic() + CONNECT_SECONDS_MAX
    while True:
        try:
            with socket.create_connection(address) as peer:
                peer.sendall(str(rank).encode())
                return int(peer.recv(16))
        except ConnectionRefusedError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(RECONNECT_SECONDS)


total = gather() if rank == 0 else contribute()
places = [os.environ[name] for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GPUMESH_NODE")]
print(f"rank {rank} of {size} at {' '.join(places)} sum {total}", flush=True)
