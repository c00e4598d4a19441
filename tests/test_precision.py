"""Which arithmetic is chosen where."""

from __future__ import annotations

import pytest
import torch

from selfieart.networks.precision import fast_autocast, fast_dtype


@pytest.mark.parametrize(("avx512", "amx", "chosen"), [
    (False, False, torch.float32), (True, False, torch.bfloat16), (False, True, torch.bfloat16),
])  # fmt: skip
def test_a_processor_computes_in_what_it_has(monkeypatch, avx512, amx, chosen):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert fast_dtype() == fast_dtype(torch.device("cpu")) == chosen
    a = torch.ones(2, 2)
    with fast_autocast(torch.device("cpu")):
        assert (a @ a).dtype == chosen


@pytest.mark.parametrize(("native", "chosen"), [(False, torch.float32), (True, torch.bfloat16)])
def test_so_does_a_graphics_card(monkeypatch, native, chosen):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native)
    assert fast_dtype(torch.device("cuda")) == chosen
