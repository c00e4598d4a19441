"""Nothing that selfieart runs on tells anybody that it runs."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_openvino_tells_nobody_that_it_runs():
    script = (
        "import sys; from selfieart.engine.devices import runtimes; assert runtimes();"
        "loaded = [n for n, m in sys.modules.items() if n.startswith('openvino_telemetry') and m];"
        "assert 'openvino' in sys.modules and not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
