"""Which arithmetic is chosen where."""

from __future__ import annotations

import pytest
import torch

from selfieart.networks.precision import fast_autocast, fast_dtype


@pytest.mark.parametrize(("features", "chosen"), [
    ((), torch.float32), (("avx2", "avx512f"), torch.float32), (("avx2", "avx512_bf16"), torch.bfloat16),
    (("amx_tile", "amx_bf16"), torch.bfloat16),
])  # fmt: skip
def test_a_processor_computes_in_what_it_has(monkeypatch, features, chosen):
    monkeypatch.setattr("selfieart.networks.precision.processor_features", lambda: features)
    assert fast_dtype() == fast_dtype(torch.device("cpu")) == chosen
    a = torch.ones(2, 2)
    with fast_autocast(torch.device("cpu")):
        assert (a @ a).dtype == chosen


@pytest.mark.parametrize(("native", "chosen"), [(False, torch.float32), (True, torch.bfloat16)])
def test_so_does_a_graphics_card(monkeypatch, native, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native)
    assert fast_dtype(torch.device("cuda")) == chosen
