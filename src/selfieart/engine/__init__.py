"""Runs the networks: graphs without weights, weights in memory, on the fastest runtime that is installed."""

from selfieart.engine.devices import Runtime, runtimes
from selfieart.engine.memory import release_memory
from selfieart.engine.network import Network
from selfieart.engine.running import Precision
from selfieart.engine.threads import available_threads, engine_lock, pool, set_threads, threads
from selfieart.machine import DEVICES, Device, check_device

__all__ = [
    "DEVICES",
    "Device",
    "Network",
    "Precision",
    "Runtime",
    "available_threads",
    "check_device",
    "engine_lock",
    "pool",
    "release_memory",
    "runtimes",
    "set_threads",
    "threads",
]
