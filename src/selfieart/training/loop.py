"""The one training loop: resumable to the bit, with EMA, curves and contact sheets. A task says what is learned."""

from __future__ import annotations

import copy
import csv
import json
import math
import random
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from selfieart.errors import SelfieartError
from selfieart.paths import atomic_write
from selfieart.training.curves import draw_curves, read_columns
from selfieart.training.optimisers import MuonAdamW, Optimiser


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        steps: optimiser steps in all; step n of a run depends on the seed and on n only.
        learning_rate: at its highest, after the warm-up; it falls on a cosine to ``lowest`` times itself.
        warm_up: steps over which the learning rate rises from 0.
        lowest: fraction of the learning rate that is left at the end.
        weight_decay: of AdamW.
        betas: of AdamW.
        muon: greatest learning rate of Muon, which then moves kernels and matrices; with 0, AdamW moves everything.
        ema: decay of the average of the weights, which is what gets written.
        clip: greatest norm of the gradient.
        seed: of the order of the data and of all noise.
        log_every, save_every, sheet_every: steps between rows of the CSV, saved states, and contact sheets with
            held-out measures.
        workers: threads that make batches ahead.
    """

    steps: int
    learning_rate: float = 2e-3
    warm_up: int = 50
    lowest: float = 0.02
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.99)
    muon: float = 0.0
    ema: float = 0.998
    clip: float = 2.0
    seed: int = 0
    log_every: int = 50
    save_every: int = 200
    sheet_every: int = 1000
    workers: int = 1

    def rate(self, step: int) -> float:
        """Learning rate of a step (counted from 0): linear warm-up, then a cosine."""
        wave = 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * min(1.0, (step + 1) / self.warm_up) * max(self.lowest, wave)


class Task(Protocol):
    """What is learned."""

    @property
    def model(self) -> nn.Module:
        """Whose state is saved; its parameters are learned as far as :meth:`groups` names them."""
        ...

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the terms of the loss, "total" first, which is minimised."""
        ...

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the held-out measures."""
        ...

    def groups(self) -> list[dict[str, Any]]:
        """Parameter groups for the optimiser; "pace" multiplies the learning rate of a group."""
        ...

    def make_batch(self, rng: random.Random) -> Any:
        """A batch, made in a thread, on the CPU, from the given source of chance only."""
        ...

    def losses(self, batch: Any, step: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Every part of the loss of a batch."""
        ...

    def measure(self, model: nn.Module) -> dict[str, float]:
        """Held-out measures of the averaged model."""
        ...

    def sheet(self, model: nn.Module) -> NDArray[np.uint8] | None:
        """A picture (H, W, 3) that shows what the averaged model does."""
        ...


def choose_device(name: str = "auto") -> torch.device:
    """The device to train on: "auto" is the GPU where there is one.

    Raises:
        SelfieartError: there is no such device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise SelfieartError(f"--device must be auto, cpu or cuda, not '{name}'.")
    if name == "cuda" and not torch.cuda.is_available():
        raise SelfieartError("This PyTorch finds no CUDA device: use --device cpu, or install PyTorch for CUDA.")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def fit(task: Task, schedule: Schedule, out: Path, report: dict[str, Any] | None = None) -> dict[str, Any]:
    """Train, and write the averaged weights to ``out`` (safetensors, float16). A killed run goes on where it saved.

    Beside ``out`` appear, with its name: ``.csv`` and ``.png`` (losses and held-out measures), ``-sheet.png`` (what the
    model does now), ``.json`` (settings and final measures), and ``.state``, from which a longer
    run can go on.

    Args:
        task: what is learned.
        schedule: how long and how fast.
        out: file to write.
        report: settings and data to note in the JSON.

    Returns:
        What the JSON says.
    """
    cv2.setNumThreads(1)
    table, state = out.with_suffix(".csv"), out.with_suffix(".state")
    average = copy.deepcopy(task.model).eval().requires_grad_(False)
    groups = [{"pace": 1.0, **group} for group in task.groups()]
    learned = [p for group in groups for p in group["params"]]
    optimiser = _optimiser(groups, schedule)
    step, seconds = 0, 0.0
    if state.exists():
        saved = torch.load(state, weights_only=True, map_location=learned[0].device)
        task.model.load_state_dict(saved["model"])
        average.load_state_dict(saved["average"])
        optimiser.load_state_dict(saved["optimiser"])
        step, seconds = saved["step"], saved["seconds"]
    header = ["step", *task.parts, *task.measures, "seconds"]
    _keep_rows(table, header, step)
    clock, sums, finished = time.perf_counter(), dict[str, float](), step
    for batch in _batches(task, schedule, step):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step) * group["pace"]
        generator = torch.Generator().manual_seed(schedule.seed * 1_000_003 + step)
        task.model.train()
        parts = task.losses(batch, step, generator)
        optimiser.zero_grad()
        parts["total"].backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(learned, schedule.clip)
        optimiser.step()
        step += 1
        _follow(average, task.model, min(schedule.ema, step / (step + 20)))
        for name, loss in parts.items():
            sums[name] = sums.get(name, 0.0) + loss.item()
        last = step == schedule.steps
        drawn = last or step % schedule.sheet_every == 0
        measured: dict[str, float] = {}
        if drawn:
            seconds, clock = seconds + time.perf_counter() - clock, time.perf_counter()
            measured = task.measure(average)
            write_sheet(task.sheet(average), out)
            clock = time.perf_counter()
        if step % schedule.log_every == 0 or last or measured:
            seconds, clock = seconds + time.perf_counter() - clock, time.perf_counter()
            count = step - finished
            values = [f"{sums.get(part, math.nan) / count:.5f}" for part in task.parts]
            held_out = [f"{measured[name]:.5f}" if name in measured else "" for name in task.measures]
            append_row(table, header, [step, *values, *held_out, f"{seconds:.1f}"])
            print(step, *values, *held_out, f"{seconds / step:.2f} s/step", flush=True)
            sums, finished = {}, step
        if drawn:
            draw_curves(read_columns(table), task.parts, task.measures, out.with_suffix(".png"))
        if step % schedule.save_every == 0 or last:
            write_half(average.state_dict(), out)
            now = {"model": task.model.state_dict(), "average": average.state_dict(), "seconds": seconds}
            save_state(now | {"optimiser": optimiser.state_dict(), "step": step}, state)
    columns = read_columns(table)
    final = {name: columns[name][-1] for name in (*task.parts, *task.measures) if columns.get(name)}
    summary = {
        "schedule": asdict(schedule),
        "settings": report or {},
        "final": final,
        "minutes": round(seconds / 60, 1),
    }
    write_text(json.dumps(summary, indent=2, default=str) + "\n", out.with_suffix(".json"))
    return summary


def _optimiser(groups: list[dict[str, Any]], schedule: Schedule) -> Optimiser:
    """What moves the parameters."""
    if schedule.muon:
        return MuonAdamW(groups, schedule.muon / schedule.learning_rate, schedule.betas, schedule.weight_decay)
    return torch.optim.AdamW(groups, betas=schedule.betas, weight_decay=schedule.weight_decay)


def _batches(task: Task, schedule: Schedule, first: int) -> Iterator[Any]:
    """Batches in order, a few made ahead; batch n depends on the seed and on n only."""
    ahead: deque[Future[Any]] = deque()
    with ThreadPoolExecutor(schedule.workers, thread_name_prefix="batches") as pool:
        try:
            for step in range(first, schedule.steps + 3 * schedule.workers):
                if step < schedule.steps:
                    ahead.append(pool.submit(task.make_batch, random.Random(f"{schedule.seed}/{step}")))
                if step - first >= 3 * schedule.workers and ahead:
                    yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average towards the model; counters are copied."""
    with torch.no_grad():
        for mine, theirs in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


def load_start(model: nn.Module, start: Path) -> None:
    """Begin with the weights of a file.

    Raises:
        SelfieartError: they do not fit the network.
    """
    try:
        model.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(start).items()})
    except Exception as error:
        first = str(error).strip().splitlines()[0]
        raise SelfieartError(
            f"The weights {start} do not fit this network ({first}): give others as --start."
        ) from error


def save_state(state: dict[str, Any], path: Path) -> None:
    """Write everything needed to go on; the old file stays whole until the new one is."""
    with atomic_write(path, overwrite=True) as temporary:
        torch.save(state, temporary)


def write_half(tensors: dict[str, Tensor], out: Path) -> None:
    """Write float16 safetensors; the old file stays whole until the new one is."""
    halves = {k: (v.half() if v.is_floating_point() else v).cpu().contiguous() for k, v in tensors.items()}
    with atomic_write(out, overwrite=True) as temporary:
        save_file(halves, temporary)


def write_text(text: str, path: Path) -> None:
    """Write a text file whole or not at all."""
    with atomic_write(path, overwrite=True) as temporary:
        temporary.write_text(text, "utf-8")


def write_sheet(sheet: NDArray[np.uint8] | None, out: Path) -> None:
    """Write a contact sheet beside the weights: NAME-sheet.png."""
    if sheet is not None:
        with atomic_write(out.with_name(f"{out.stem}-sheet.png"), overwrite=True) as temporary:
            cv2.imwrite(str(temporary), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))


def append_row(path: Path, header: Sequence[str], row: Sequence[object]) -> None:
    """Add a row to a CSV file, which begins with the header."""
    new = not path.exists()
    with path.open("a", newline="") as file:
        csv.writer(file).writerows([header, row] if new else [row])


def _keep_rows(table: Path, header: list[str], step: int) -> None:
    """Forget the rows of steps that were done after the last saved state and will be done again."""
    if not table.exists():
        return
    with table.open(newline="") as file:
        rows = list(csv.reader(file))
    if not rows or rows[0] != header or step == 0:
        table.unlink()
        return
    kept = [rows[0], *(row for row in rows[1:] if row and int(row[0]) <= step)]
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(kept)
