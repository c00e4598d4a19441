"""How long painting by optimisation takes, beside the same optimisation with a full-size VGG-19.

    python benchmarks/optimise.py [--side 512] [--iterations 50] [--evaluations 3] [--json]

Both encoders do the same work per evaluation: one forward and one backward run and the losses of two soft regions.
VGG's weights are random here, which costs exactly as much. Single evaluations of both take turns, so that a machine
that slows down slows both; the ratio is the median of the ratios within a turn. Of the product a whole run is measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from reference import tensor
from selfieart.methods.gatys import Gatys, GatysOptions
from selfieart.methods.inputs import check_regions
from selfieart.methods.semantic import Semantic
from selfieart.methods.semantic_options import SemanticOptions
from selfieart.networks.encoder import Encoder, PerceptualEncoder
from selfieart.networks.packaged import load_encoder
from selfieart.networks.tensors import resize
from selfieart.networks.vgg import Vgg19
from selfieart.weights import manifest


def task(side: int) -> tuple[Tensor, list[Tensor], Tensor]:
    """The packaged portrait, two drawn style pictures, and soft halves: (3, s, s), [(3, s, s)] * 2, (3, s, s)."""
    from importlib import resources

    from selfieart.imaging import read_photo

    with resources.as_file(resources.files("selfieart").joinpath("data", "astronaut.jpg")) as path:
        content = resize(tensor(read_photo(path).pixels), (side, side))
    rows, columns = torch.meshgrid(torch.arange(float(side)), torch.arange(float(side)), indexing="ij")
    waves = [(columns / 7 + (rows / 30).sin() * 3).sin(), (rows / 11).cos(), ((rows + columns) / 40).sin()]
    spots = [(rows / 5).sin() * (columns / 5).sin(), (columns / 60).cos(), (rows / 25).sin()]
    left = ((side / 2 - columns) / (side / 8) + 0.5).clamp(0, 1)
    styles = [torch.stack(planes) * 0.4 + 0.5 for planes in (waves, spots)]
    return content, styles, torch.stack([left, 1 - left, torch.zeros_like(left)])


def evaluation(encoder: PerceptualEncoder, side: int, precision: Any) -> Callable[[], float]:
    """One evaluation of Gatys' loss and its gradient, timed."""
    regions = check_regions(*task(side))
    objective = Gatys(encoder).objective(regions, GatysOptions(precision=precision))
    x = regions.content.clone().requires_grad_()

    def run() -> float:
        start = time.perf_counter()
        torch.autograd.grad(torch.stack(list(objective(x).values())).sum(), x)
        return time.perf_counter() - start

    return run


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--iterations", type=int, default=GatysOptions().iterations)
    parser.add_argument("--evaluations", type=int, default=3, help="turns of single evaluations")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    # Weights change what is painted, not how long it takes.
    ours = load_encoder() if "encoder" in manifest() else Encoder().requires_grad_(False)
    vgg = Vgg19().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    runs = {
        "compact": evaluation(ours, arguments.side, "float32"),
        "compact, bfloat16": evaluation(ours, arguments.side, "bfloat16"),
        "vgg19": evaluation(vgg, arguments.side, "float32"),
    }
    for run in runs.values():
        run()
    turns = [{name: run() for name, run in runs.items()} for _ in range(arguments.evaluations)]
    seconds = {name: statistics.median(turn[name] for turn in turns) for name in runs}
    ratio = statistics.median(turn["vgg19"] / turn["compact"] for turn in turns)
    options = GatysOptions(side=arguments.side, iterations=arguments.iterations)
    start = time.perf_counter()
    Gatys(ours).stylize_regions(*task(arguments.side), options)
    whole = time.perf_counter() - start
    content, (style, _), _ = task(arguments.side)
    start = time.perf_counter()
    Semantic(ours).stylize_regions(
        content, [style], None, SemanticOptions(side=arguments.side, iterations=arguments.iterations)
    )
    semantic = time.perf_counter() - start
    if arguments.json:
        result = {
            "side": arguments.side,
            "threads": torch.get_num_threads(),
            "evaluation_seconds": seconds,
            "vgg19_to_compact": ratio,
            "iterations": arguments.iterations,
            "two_styles_seconds": whole,
            "semantic_seconds": semantic,
        }
        print(json.dumps(result, indent=2))
        return
    for name, value in seconds.items():
        print(f"one evaluation, {name}: {value:.3f} s")
    print(f"full-size VGG-19 takes {ratio:.1f} times as long per evaluation")
    print(f"Gatys, two styles, {arguments.side} px, {arguments.iterations} iterations: {whole:.1f} s")
    print(f"Semantic, one style, {arguments.side} px, {arguments.iterations} iterations: {semantic:.1f} s")


if __name__ == "__main__":
    main()
