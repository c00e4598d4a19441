"""What every method that optimises is: a name, its options, how it prepares itself, and what it minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from torch import Tensor

from selfieart.methods.inputs import Regions, check_regions
from selfieart.methods.minimise import Objective
from selfieart.methods.run import paint_regions
from selfieart.methods.scene import Scene
from selfieart.methods.settings import OptimiseOptions, Watch, options_of, unwatched
from selfieart.networks.encoder import PerceptualEncoder
from selfieart.progress import Progress, silent
from selfieart.sizes import Size

Options = TypeVar("Options", bound=OptimiseOptions)


class Method(ABC, Generic[Options]):
    """A method that paints several regions in the styles of pictures.

    A method states its name, a summary and the class of its options, which by custom is called as the method with
    "Options" behind, and says what is minimised at each size. Everything else has a usual way.

    Args:
        encoder: whose features are compared.

    Attributes:
        name: as the registry has it.
        summary: what it does, in one sentence.
        options: the class of its options.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    options: type[Options]

    def __init__(self, encoder: PerceptualEncoder) -> None:
        self.encoder = encoder

    @classmethod
    def options_from(cls, settings: Mapping[str, object]) -> Options:
        """Options from settings by name; see :func:`selfieart.methods.settings.options_of`."""
        return options_of(cls.options, settings, f"setting of {cls.name}")

    @abstractmethod
    def objective_at(self, regions: Regions, options: Options) -> Callable[[Size], Objective]:
        """What is minimised at each size.

        Args:
            regions: at the content's own size.
            options: settings.

        Returns:
            A function that is called with a size once, or once per round; see :func:`selfieart.methods.run.optimise`.

        Raises:
            SelfieartError: the options do not fit the regions.
        """

    def renewed(self, options: Options) -> int | None:
        """After about so many evaluations a size's objective is made anew; None for never."""
        return None

    def prepare(self, scene: Scene, options: Options) -> Options:
        """The options with everything filled in that they leave open and the scene tells.

        Args:
            scene: what is painted.
            options: as a person gave them; what they set stays.

        Raises:
            SelfieartError: the options do not fit the scene.
        """
        return options

    def paint(self, scene: Scene, options: Options | None = None) -> Tensor:
        """Prepare for a scene, and paint it; see :meth:`stylize_regions`."""
        prepared = self.prepare(scene, options or self.options())
        styles = list(scene.styles.values())
        return self.stylize_regions(scene.content, styles, scene.masks, prepared, scene.progress, scene.watch)

    def stylize_regions(
        self,
        content: Tensor,
        styles: Sequence[Tensor],
        masks: Tensor | None = None,
        options: Options | None = None,
        progress: Progress = silent,
        watch: Watch = unwatched,
    ) -> Tensor:
        """Paint regions of a picture in the styles of other pictures, with the options as they are.

        Args:
            content: (3, H, W) in [0, 1].
            styles: S pictures (3, h, w) in [0, 1], of any sizes.
            masks: (S + 1, H, W) in [0, 1], summing to 1, the last one being what stays as it is; None for one style
                everywhere.
            options: settings.
            progress: told the stage "style" and the fraction done; may raise Cancelled.
            watch: told losses and given a preview after every evaluation; may raise Cancelled.

        Returns:
            (3, H, W) in [0, 1]; where the last mask is 1, the content bit for bit.

        Raises:
            SelfieartError: a picture, the masks or the options cannot be used; the sentence says why.
            Cancelled: a callback asked to stop.
        """
        options = options or self.options()
        regions = check_regions(content, styles, masks)
        objective_at = self.objective_at(regions, options)
        return paint_regions(regions, objective_at, options, progress, watch, self.renewed(options))
