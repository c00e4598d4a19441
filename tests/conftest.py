"""Fixtures that several test files share. What is costly, models and the parsing of a photo, is made once."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import settings
from skimage import data

from extras_needed import tests_of_extras
from selfieart import Portrait, Studio
from selfieart.cli import main
from selfieart.engine import set_threads
from selfieart.errors import SelfieartError
from selfieart.imaging import write_photo
from selfieart.parsing.parsing import Parsing
from selfieart.render.feed_forward import PresetStylizer
from selfieart.render.loading import load_presets
from selfieart.segments import INDEX, NAMES
from selfieart.video.frame import Frame
from video_frames import clip

# Other programs share the machine: how long an example takes says nothing.
settings.register_profile("selfieart", deadline=None)
settings.load_profile("selfieart")

# The pictures are small. Threads that wait for each other on a busy machine made the tests five times slower.
set_threads(1)
if find_spec("torch") is None:
    # As in `make oldest`: what tests the code of extras has nothing to test.
    collect_ignore = tests_of_extras(Path(__file__).parent)
else:
    import torch

    torch.set_num_threads(1)


def is_one_sentence(message: str) -> bool:
    """One line that ends once."""
    return "\n" not in message and message[-1] in ".?" and message[-2] not in ".?" and ". " not in message


class DrawnParser:
    """A parser that knows the answer: a label map (H, W), as logits +-sureness, whatever the picture."""

    name = "drawn"

    def __init__(self, labels: np.ndarray, sureness: float = 6.0) -> None:
        self.labels, self.sureness, self.calls = labels, sureness, 0

    def parse(self, picture: np.ndarray, faces: object = "all") -> Parsing:
        self.calls += 1
        height, width = picture.shape[-2:]
        labels = cv2.resize(self.labels, (width, height), interpolation=cv2.INTER_NEAREST)
        hot = labels[None] == np.arange(len(NAMES))[:, None, None]
        logits = np.where(hot, np.float32(self.sureness), np.float32(-self.sureness))
        return Parsing(logits, picture, (), height, width)


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """A portrait (512, 512, 3): a face at about x=224, y=126, a white suit, a flag and a model of the shuttle."""
    return data.astronaut()


@pytest.fixture(scope="session")
def astronaut_file(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """The upper half of the portrait, reduced, as a PNG file."""
    small = cv2.resize(astronaut[:320, 64:384], (200, 200), interpolation=cv2.INTER_AREA)
    return write_photo(tmp_path_factory.mktemp("photos") / "astronaut.png", small[:190])


@pytest.fixture(scope="session")
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="session")
def portrait(studio: Studio, astronaut: np.ndarray) -> Portrait:
    """The astronaut in the studio; parsed and painted at most once for all tests."""
    return studio.open(astronaut)


@pytest.fixture(scope="session")
def parsing(portrait: Portrait) -> Parsing:
    return portrait.parsing()


@pytest.fixture(scope="session")
def labels(parsing: Parsing, astronaut: np.ndarray) -> np.ndarray:
    """Class of each pixel of the astronaut, (512, 512)."""
    return parsing.labels(astronaut)


@pytest.fixture(scope="session")
def stylizer() -> PresetStylizer:
    return load_presets()


@pytest.fixture
def logits() -> np.ndarray:
    """(19, 12, 14) logits of the size that parsers give."""
    return (np.random.default_rng(1).standard_normal((len(NAMES), 12, 14)) * 4).astype(np.float32)


@pytest.fixture
def picture() -> np.ndarray:
    """A picture (3, 40, 56) in [0, 1] with smooth shades, an edge and some noise."""
    rows, columns = np.mgrid[0:40, 0:56]
    planes = np.stack([rows / 40, columns / 56, (rows + columns) % 30 / 60 + (columns > 30) * 0.4])
    noise = np.random.default_rng(2).uniform(-0.05, 0.05, planes.shape)
    return (planes + noise).clip(0, 1).astype(np.float32)


@pytest.fixture
def drawn_labels() -> np.ndarray:
    """Labels (60, 90): a head of hair and skin at the top right over clothes, the rest background."""
    labels = np.zeros((60, 90), np.uint8)
    labels[40:, 50:85] = INDEX["clothes"]
    labels[4:40, 55:80] = INDEX["hair"]
    labels[14:40, 60:75] = INDEX["skin"]
    return labels


@pytest.fixture(scope="module")
def person(astronaut: np.ndarray) -> np.ndarray:
    """Head and shoulders, 96 x 120."""
    return cv2.resize(astronaut[:384, :480], (120, 96), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def moving(astronaut: np.ndarray) -> list[Frame]:
    """The camera passes over the portrait, 1.5 pixels per frame."""
    return clip(*[
        cv2.resize(astronaut[:384, 6 * i : 6 * i + 480], (120, 96), interpolation=cv2.INTER_AREA) for i in range(6)
    ])  # fmt: skip


@pytest.fixture
def drawn(drawn_labels: np.ndarray) -> Studio:
    """A studio whose parser knows the segments of a drawn picture (60, 90)."""
    studio = Studio()
    studio.parser = DrawnParser(drawn_labels)
    return studio


@pytest.fixture(scope="module")
def texture(astronaut: np.ndarray) -> np.ndarray:
    return astronaut[100:260, 200:420]


def wrong(message: str, call, *arguments, error=SelfieartError, **named) -> None:
    """A call is refused with one clear sentence that matches."""
    with pytest.raises(error, match=message) as caught:
        call(*arguments, **named)
    assert is_one_sentence(str(caught.value)), str(caught.value)


@pytest.fixture
def run(capsys):
    """Run a command in this process: (exit code, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return int(stop.value.code or 0), out, err

    return call


@pytest.fixture
def done(run):
    """Run a command that must succeed without a word on standard error, and give its output."""

    def call(*arguments: object) -> str:
        code, out, err = run(*arguments)
        assert (code, err) == (0, "")
        return out

    return call


@pytest.fixture
def me(tmp_path: Path, astronaut_file: Path) -> Path:
    """A photo in a folder of its own."""
    path = tmp_path / "me.png"
    path.write_bytes(astronaut_file.read_bytes())
    return path
