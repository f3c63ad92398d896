import { expect, it } from "vitest";
import { said } from "./RunBar";

const cost = (nanos: number | null, low_nanos: number | null, high_nanos: number | null) => ({ nanos, low_nanos, high_nanos });

it.each([
  [cost(0, 0, 0), 0, "9 calls · $0"],
  [cost(12_000_000, 9_000_000, 30_000_000), 0, "9 calls · about $0.0120 ($0.00900 to $0.0300)"],
  [cost(null, 1_000_000, 30_000_000), 0, "9 calls · $0.00100 to $0.0300"],
  [cost(null, 1_000_000, null), 0, "9 calls · at least $0.00100, no limit set"],
  [null, 3, "9 calls · the cost of 3 is not known"],
])("%j", (given, unknown_calls, text) => expect(said({ calls: 9, cost: given, unknown_calls, columns: [] })).toBe(text));
