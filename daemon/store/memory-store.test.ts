import { MemoryStore } from "./memory-store.ts";
import { storeContract } from "./store-contract.ts";

storeContract("MemoryStore", () => {
  const store = new MemoryStore();
  return Promise.resolve({
    store,
    depose: () => Promise.resolve(store.setLeader(null)),
    close: () => Promise.resolve(),
  });
});
