"""Try a wheel as a user meets it: in an empty environment, outside the tree. Run by ``make wheel``.

    python tools/try_wheel.py dist/selfieart-VERSION-py3-none-any.whl

It paints, parses, and has a type checker read tests/typing_user.py strictly against the installed package. The type
checker is this environment's own, so that nothing but the package and its dependencies is in the other one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main(wheel: Path) -> None:
    """Install the wheel and use it; stops at the first thing that fails."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / "venv" / "bin" / "python"
        # Neither the tree nor what is installed beside it may be seen.
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}

        def run(*command: object) -> str:
            print("  $", *(str(part).replace(name, "...") for part in command), flush=True)
            done = subprocess.run(
                [str(part) for part in command], cwd=folder, env=environment, check=False, text=True, stdout=-1
            )
            if done.returncode:
                sys.exit(f"{done.stdout}exit code {done.returncode}")
            return done.stdout

        run(sys.executable, "-m", "venv", folder / "venv")
        install = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*install, "-c", ROOT / "constraints.txt", wheel.resolve())
        version = run(folder / "venv" / "bin" / "selfieart", "--version").split()[1]
        assert wheel.name.startswith(f"selfieart-{version}-"), f"{wheel.name} says that it is {version}"
        where = run(python, "-c", "import selfieart; print(selfieart.__file__)").strip()
        assert Path(where).is_relative_to(folder.resolve()), f"{where} is not the wheel's"

        run(folder / "venv" / "bin" / "selfieart", "demo")
        parsed = run(
            *(folder / "venv" / "bin" / "selfieart", "parse", "selfieart-demo.png"),
            *("--labels", "labels.png", "--json"),
        )
        assert (folder / "labels.png").stat().st_size
        assert isinstance(json.loads(parsed), dict)

        shutil.copy(ROOT / "tests" / "typing_user.py", folder / "user.py")
        (folder / "mypy.ini").write_text("[mypy]\n")
        checker = (sys.executable, "-m", "mypy", "--strict", "--config-file", "mypy.ini")
        print(run(*checker, "--python-executable", python, "user.py").strip())
        print(run(python, ROOT / "tools" / "check_base.py").strip())
    print(f"{wheel.name} works.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
